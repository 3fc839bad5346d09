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
