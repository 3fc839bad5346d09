// The three views of the room's page, and its end, of which one is shown at a time; and the panels
// beside the call: safety words, and everything that is not needed at every moment.

const byId = (id) => document.getElementById(id);

/** Begins with the device check, though the server may have drawn the call for who is in it.
    `changed` is told of each other view. Returns { shown, show(name), begin() }. */
export function startViews(changed) {
  const all = ["check", "waiting", "call", "over"].map((name) => [name, byId(`view-${name}`)]).filter(([, view]) => view);
  function lay(name) {
    for (const [each, view] of all) view.hidden = each !== name;
    byId("masthead").hidden = name === "waiting" || name === "call";
  }
  const views = {
    shown: "check",
    /** Shows the first view. */
    begin() { lay(views.shown); },
    show(name) {
      if (name === views.shown) return;
      views.shown = name;
      lay(name);
      scrollTo(0, 0);
      byId(`${name}-title`).focus({ preventScroll: true });
      changed(name);
    },
  };
  return views;
}

const panels = [...document.querySelectorAll(".panel")];
const buttonFor = (panel) => document.querySelector(`[aria-controls="${panel.id}"]`);

/** Opens one panel, or closes it where it is open. Only one is open at a time. */
export function togglePanel(id, opened) {
  const wanted = byId(id);
  const isOpening = wanted.hidden;
  for (const panel of panels) {
    panel.hidden = panel !== wanted || !isOpening;
    buttonFor(panel).setAttribute("aria-expanded", String(!panel.hidden));
  }
  byId("stage-row").classList.toggle("stage-panel", isOpening);
  if (isOpening) { opened?.(); wanted.querySelector("h2").focus(); } else buttonFor(wanted).focus();
}

/** Closes whichever is open. False if none is. */
export function closePanel() {
  const open = panels.find((panel) => !panel.hidden);
  if (open) togglePanel(open.id);
  return Boolean(open);
}
