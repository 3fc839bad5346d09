// The panels beside the call: safety words, and everything that is not needed at every moment.

const panels = [...document.querySelectorAll(".panel")];
const buttonFor = (panel) => document.querySelector(`[aria-controls="${panel.id}"]`);

/** Opens one panel, or closes it where it is open. Only one is open at a time. */
export function togglePanel(id, opened) {
  const wanted = document.getElementById(id);
  const isOpening = wanted.hidden;
  for (const panel of panels) {
    panel.hidden = panel !== wanted || !isOpening;
    buttonFor(panel).setAttribute("aria-expanded", String(!panel.hidden));
  }
  document.getElementById("stage-row").classList.toggle("stage-panel", isOpening);
  if (isOpening) { opened?.(); wanted.querySelector("h2").focus(); } else buttonFor(wanted).focus();
}

/** Closes whichever is open. False if none is. */
export function closePanel() {
  const open = panels.find((panel) => !panel.hidden);
  if (open) togglePanel(open.id);
  return Boolean(open);
}

/** Draws the safety words, or why there are none. `nameOf` names a cid. */
export function drawSafety({ words, broken, isPossible, others, nameOf }) {
  const byId = (id) => document.getElementById(id);
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
    : words || broken.size ? "" : "They are being worked out. That needs a line to everybody in the call.";
  byId("safety-wait").hidden = !wait;
  byId("safety-wait").textContent = wait;
  const alarm = byId("safety-alarm");
  const said = broken.size ? `What came from ${[...broken].map((cid) => nameOf(cid) || "somebody").join(" and ")} does not match what was promised before. Somebody may sit between you. Leave, and come back; if this shows again, call each other by phone.` : "";
  alarm.hidden = !said;
  if (alarm.textContent !== said) alarm.textContent = said;
}
