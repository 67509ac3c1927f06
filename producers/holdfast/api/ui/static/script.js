// Keeps an open page current: asks once a second for the parts that changed, and puts them in place of the old ones.
// Without this script every page is complete as it was loaded. No eval, no inline handlers, nothing from elsewhere.
"use strict";

const EVERY = 1000; // milliseconds between two questions
const STALE = 5000; // milliseconds without news after which the page says so
const overview = document.querySelector("[data-live]");
let lastNews = Date.now();

function announce() {
  const verdict = document.querySelector("[data-testid=verdict]");
  const said = document.getElementById("said");
  if (verdict && said && said.dataset.cause !== verdict.dataset.cause + verdict.dataset.value) {
    if (said.dataset.cause) said.textContent = verdict.textContent; // not at the first sight: it is being read already
    said.dataset.cause = verdict.dataset.cause + verdict.dataset.value;
  }
}

function place(element) {
  // Where the focus was, in words that still hold once the element was replaced.
  if (element.id) return "#" + CSS.escape(element.id);
  const action = element.getAttribute && element.getAttribute("formaction");
  return action ? `[formaction="${CSS.escape(action)}"]` : null;
}

function swap(name, html) {
  const part = document.querySelector(`[data-part="${CSS.escape(name)}"]`);
  if (!part) return;
  const inside = part.contains(document.activeElement) ? place(document.activeElement) : null;
  const summary = part.contains(document.activeElement) && document.activeElement.closest("summary");
  const holder = summary ? summary.parentElement.id : null;
  const open = [...part.querySelectorAll("details[open][id]")].map((each) => each.id);
  const scrolled = [...part.querySelectorAll(".scroll")].map((each) => [each.scrollTop, each.scrollLeft]);
  part.innerHTML = html; // rendered by our server, where everything is escaped
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  part.querySelectorAll(".scroll").forEach((each, n) => {
    if (scrolled[n]) [each.scrollTop, each.scrollLeft] = scrolled[n];
  });
  if (holder) document.querySelector(`#${CSS.escape(holder)} > summary`)?.focus();
  else if (inside) part.querySelector(inside)?.focus();
}

async function ask() {
  const answer = await fetch(`${overview.dataset.live}?since=${overview.dataset.look}`, {
    headers: { accept: "application/json" },
    redirect: "manual",
  });
  if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) {
    location.reload(); // the session is over: the server says where to log in
    return;
  }
  if (!answer.ok) throw new Error(String(answer.status));
  const news = await answer.json();
  for (const [name, html] of Object.entries(news.parts)) swap(name, html);
  overview.dataset.look = String(news.look);
  lastNews = Date.now();
}

function showAge() {
  const note = document.getElementById("stale");
  const old = Date.now() - lastNews > STALE;
  if (note.hidden === old) {
    document.getElementById("stale-since").textContent = new Date(lastNews).toISOString().slice(11, 19) + " UTC";
    note.hidden = !old;
    overview.classList.toggle("old", old);
  }
}

async function stay() {
  // A page that nobody sees asks nothing, and asks at once when it is seen again.
  if (!document.hidden) {
    try {
      await ask();
    } catch {
      // the server is away, or it restarts: the next question tells, and the page says how old it is
    }
  }
  showAge();
  announce();
  setTimeout(stay, EVERY);
}

async function copy(button) {
  const text = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(text); // no clipboard without HTTPS: it is selected, to be copied by hand
    button.textContent = "Selected: press Ctrl-C";
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});
if (overview) {
  announce();
  setTimeout(stay, EVERY);
}
