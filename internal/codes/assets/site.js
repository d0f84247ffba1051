// The reference needs no script, but for the box of the exported site. This one
// remembers light or dark, and asks the explainer there.
"use strict";
{
  const root = document.documentElement;
  const kept = { get: () => { try { return localStorage.getItem("theme"); } catch { return null; } },
    set: (v) => { try { localStorage.setItem("theme", v); } catch { /* it holds for this page */ } } };
  if (kept.get()) root.dataset.theme = kept.get();
  const button = document.getElementById("theme");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      kept.set(root.dataset.theme);
    });
  }

  const box = document.getElementById("box");
  const answer = document.getElementById("answer");
  if (box && answer && box.dataset.explainer) {
    const text = box.elements.q;
    let loaded; // a promise of the explainer
    const load = () => loaded ??= new Promise((ready, fail) => {
      globalThis.weirReady = ready;
      const script = document.createElement("script");
      script.src = box.dataset.explainer;
      script.onerror = fail;
      script.onload = async () => {
        try {
          const packed = Uint8Array.from(atob(globalThis.weirProgram), (c) => c.charCodeAt(0));
          const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
          const go = new globalThis.Go();
          const program = await WebAssembly.instantiate(await new Response(stream).arrayBuffer(), go.importObject);
          go.run(program.instance);
        } catch (e) { fail(e); }
      };
      document.head.append(script);
    });
    const explain = async () => {
      if (!text.value.trim()) { answer.replaceChildren(); return; }
      answer.textContent = box.dataset.loading;
      try {
        await load();
        answer.innerHTML = globalThis.weirAnswer(root.lang, text.value); // the explainer escapes what it shows
      } catch { answer.textContent = box.dataset.failed; }
    };
    // Links of an answer are those of the page "explain", which is where it is shown.
    if (location.pathname.endsWith("/explain.html")) {
      box.addEventListener("submit", (event) => { event.preventDefault(); explain(); });
      const asked = new URLSearchParams(location.search).get("q");
      if (asked) { text.value = asked; explain(); }
    }
  }
}
