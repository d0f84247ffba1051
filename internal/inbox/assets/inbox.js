// The page works without this. It adds three things: the list keeps itself up
// to date, keys move about, and a command can be copied.
"use strict";

const find = (selector, from = document) => from.querySelector(selector);
const rows = () => [...document.querySelectorAll("#list .row")];
const current = () => find('#list .row[aria-current]');

// Live updates. The server sends the number of each change; what has changed
// is asked for. A page that nobody sees listens to nothing, since browsers
// allow few connections to one server.
let events = null;
let fetching = false;
let wanted = "";

function listen() {
  if (document.hidden) {
    events?.close();
    events = null;
    return;
  }
  if (events) return;
  events = new EventSource("/events");
  events.addEventListener("change", (e) => { say(""); refresh(e.data); });
  events.addEventListener("error", () => say("The relay has stopped. Waiting for it …"));
}

function say(text) { find("#status").textContent = text; }

async function refresh(version) {
  wanted = version;
  if (fetching) return;
  fetching = true;
  try {
    while (find("#list").dataset.version !== wanted) {
      const asked = wanted;
      await load();
      if (asked === wanted) break;
    }
  } finally {
    fetching = false;
  }
}

async function load() {
  const here = new URLSearchParams(location.search);
  const ask = new URLSearchParams();
  for (const key of ["q", "from"]) if (here.has(key)) ask.set(key, here.get(key));
  const id = location.pathname.match(/^\/message\/([^/]+)$/);
  if (id) ask.set("selected", id[1] === "latest" ? "" : id[1]);
  const answer = await fetch("/list?" + ask);
  if (answer.ok) show(await answer.text());
}

// show puts in a new list. The focus stays on the row that has it.
function show(html) {
  const focused = document.activeElement?.closest("#list .row")?.getAttribute("href");
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("#list");
  const wasEmpty = rows().length === 0;
  find("#list").replaceWith(fresh);
  if (focused) rows().find((r) => r.getAttribute("href") === focused)?.focus();
  const unseen = fresh.dataset.unseen;
  document.title = (unseen === "0" ? "" : "(" + unseen + ") ") + document.title.replace(/^\(\d+\) /, "");
  if (wasEmpty !== (rows().length === 0) && location.pathname === "/") location.reload();
}

// Keys.
function move(step) {
  const all = rows();
  const at = all.indexOf(current());
  const next = at < 0 ? all[step > 0 ? 0 : all.length - 1] : all[at + step];
  if (next) location.href = next.href + view(next);
}

// view keeps the view that one has chosen from message to message.
function view(link) {
  const chosen = new URLSearchParams(location.search).get("view");
  return chosen ? (new URL(link.href).search ? "&" : "?") + "view=" + encodeURIComponent(chosen) : "";
}

const keys = {
  j: () => move(1),
  ArrowDown: () => move(1),
  k: () => move(-1),
  ArrowUp: () => move(-1),
  d: () => find("#delete")?.requestSubmit(),
  Delete: () => find("#delete")?.requestSubmit(),
  "/": () => find(".search input").select(),
  "?": () => find("#keys").togglePopover(),
  Escape: () => { const back = find(".back"); if (back) location.href = back.href; },
};

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
  if (e.target.matches("input")) {
    if (e.key === "Escape") e.target.blur();
    return;
  }
  if (find("[popover]:popover-open") && e.key !== "?") return;
  const scrolled = e.key.startsWith("Arrow") && e.target.closest(".message");
  const act = scrolled ? null : keys[e.key] ?? (/^[1-9]$/.test(e.key) ? () => find(`.tabs [data-key="${e.key}"]`)?.click() : null);
  if (!act) return;
  e.preventDefault();
  act();
});

// Copying.
for (const button of document.querySelectorAll(".copy")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(find("code", button.parentElement).textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}

current()?.scrollIntoView({ block: "nearest" });
document.addEventListener("visibilitychange", listen);
window.addEventListener("pagehide", () => { events?.close(); events = null; });
window.addEventListener("pageshow", listen);
listen();
