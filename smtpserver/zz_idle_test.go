package smtpserver
import ("testing";"context";"net";"runtime";"fmt";"os";"runtime/pprof";"time";"syscall";"io")
func TestZZIdle(t *testing.T){
 s := &Server{Hostname:"mx"}; s.NewSession = func(context.Context,*Conn)(Session,error){ return &recorder{},nil }
 l,_ := net.Listen("tcp","127.0.0.1:0"); go s.Serve(l)
 const n=4000
 var fds []int
 port := l.Addr().(*net.TCPAddr).Port
 var a,b runtime.MemStats
 runtime.GC();runtime.GC(); runtime.ReadMemStats(&a)
 for i:=0;i<n;i++{ fd,err := syscall.Socket(syscall.AF_INET,syscall.SOCK_STREAM,0); if err!=nil{t.Fatal(err)}
  if err:=syscall.Connect(fd,&syscall.SockaddrInet4{Port:port,Addr:[4]byte{127,0,0,1}});err!=nil{t.Fatal(err)}
  buf:=make([]byte,512); syscall.Read(fd,buf); syscall.Write(fd,[]byte("EHLO x.test\r\n")); syscall.Read(fd,buf); fds=append(fds,fd)}
 time.Sleep(300*time.Millisecond)
 runtime.ReadMemStats(&b)
 p := func(name string, x uint64, y uint64){ fmt.Printf("%-12s %8.1f per session\n",name,float64(int64(y)-int64(x))/n) }
 fmt.Println("before GC"); p("HeapAlloc",a.HeapAlloc,b.HeapAlloc);p("HeapInuse",a.HeapInuse,b.HeapInuse);p("StackInuse",a.StackInuse,b.StackInuse);p("Sys",a.Sys,b.Sys);p("GCSys",a.GCSys,b.GCSys);p("OtherSys",a.OtherSys,b.OtherSys)
 runtime.GC();runtime.GC();runtime.ReadMemStats(&b)
 fmt.Println("after GC");p("HeapAlloc",a.HeapAlloc,b.HeapAlloc);p("HeapInuse",a.HeapInuse,b.HeapInuse);p("StackInuse",a.StackInuse,b.StackInuse);p("Sys",a.Sys,b.Sys);p("GCSys",a.GCSys,b.GCSys);p("OtherSys",a.OtherSys,b.OtherSys);p("MSpan",a.MSpanInuse,b.MSpanInuse)
 f,_ := os.Create("/tmp/heap.out"); pprof.WriteHeapProfile(f); f.Close()
 g,_ := os.Create("/tmp/gor.out"); pprof.Lookup("goroutine").WriteTo(g,1); g.Close()
 for _,fd := range fds{ syscall.Close(fd)}
 s.Close(); _ = io.EOF
}
