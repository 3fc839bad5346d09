// The safety words on the screen, for as long as the page is in the call under one cid.

import { togglePanel } from "./views.js";
import { certificatesOf, Safety } from "./safety.js";

const byId = (id) => document.getElementById(id);
// What they are made from goes over the same lines as what a call begins with, which goes first.
const FOLLOW_WITHIN = 700;

/** Draws the safety words, or why there are none. `nameOf` names a cid. */
function drawWords({ words, broken, isSpent, isPossible, others, nameOf }) {
  const list = byId("safety-list");
  const text = (words ?? []).join(" ");
  if (list.dataset.words !== text) {
    list.dataset.words = text;
    list.replaceChildren(...(words ?? []).map((word) => Object.assign(document.createElement("li"), { textContent: word })));
  }
  list.hidden = !words;
  const names = others.length === 1 ? others[0] : "the others";
  byId("safety-read").hidden = !words;
  byId("safety-read").textContent = others.length === 1
    ? `Read them to ${names}. If ${names} sees the same four, nobody sits between you.`
    : "Read them aloud. If everybody sees the same four, nobody sits between you.";
  const wait = !isPossible ? "This page was opened without https, so the browser cannot make any."
    : !others.length ? "They come once somebody else is in the call."
    : words || broken.size ? "" : isSpent ? "None can be made any more: they began anew too often. Leave, and come back."
    : "They are being worked out. That needs a line to everybody in the call.";
  byId("safety-wait").hidden = !wait;
  byId("safety-wait").textContent = wait;
  const alarm = byId("safety-alarm");
  const said = broken.size ? `What came from ${[...broken].map((cid) => nameOf(cid) || "somebody").join(" and ")} does not match what was promised before. Somebody may sit between you. Leave, and come back; if this shows again, call each other by phone.` : "";
  alarm.hidden = !said;
  if (alarm.textContent !== said) alarm.textContent = said;
}

/** `say` says something on the socket, `nameOf` names a cid. Returns { begin(cid), hear, follow, draw, open, close }:
    `follow` looks within a moment who is in the call, `open` at once. */
export function startSafety({ peers, say, nameOf }) {
  let safety = null, seen = "", isNew = false, soon = 0;

  function draw() {
    drawWords({ words: safety.words, broken: safety.broken, isSpent: safety.isSpent, isPossible: Safety.isPossible, others: [...peers.keys()].map(nameOf), nameOf });
    byId("safety-button").classList.toggle("control-alarm", safety.broken.size > 0);
    if (safety.broken.size && byId("panel-safety").hidden) togglePanel("panel-safety");
    drawNews();
  }

  /** Words that take the place of others which somebody may have read already are no quiet matter. */
  function drawNews() {
    const words = safety.words?.join(" ") ?? "", isOpen = !byId("panel-safety").hidden;
    if (words && seen && words !== seen) isNew = true;
    // They are read with the panel open; once it is closed, they are known.
    if (words && isOpen) seen = words; else if (words === seen) isNew = false;
    show("safety-new", words && isNew && isOpen ? "The words are new. Read them to each other again." : "");
    show("safety-news", words && isNew && !isOpen ? "The safety words are new. Open Safety, and read them to each other again." : "");
  }

  function show(id, words) {
    const box = byId(id);
    box.hidden = !words;
    if (box.textContent !== words) box.textContent = words;
  }

  /** The words are of all lines that have stood. */
  function followNow() {
    clearTimeout(soon);
    soon = 0;
    if (Safety.isPossible) safety.follow(...certificatesOf(peers));
  }

  return {
    draw,
    follow() { soon ||= setTimeout(followNow, FOLLOW_WITHIN); },
    begin(own) { seen = ""; isNew = false; safety = new Safety({ own, changed: draw, send: (to, step) => say({ type: "signal", to, safety: step }) }); },
    hear(cid, step) { safety.hear(cid, step); },
    open() {
      if (safety.words?.join(" ") === seen) isNew = false;
      togglePanel("panel-safety", followNow);
      draw();
    },
    close() {
      safety.close();
      seen = "";
      show("safety-news", "");
    },
  };
}
