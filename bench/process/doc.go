// Package process runs the programs that a benchmark measures and the programs
// that measure them, and says what they cost.
//
// Its rule: a figure is exact, or the report is told how it was come by. CPU
// time is the total of a control group, which no child escapes, however short
// it lives; only where no group can be made is it added up from /proc.
package process
