// The three views of the room's page, and its end: one is shown at a time.

const byId = (id) => document.getElementById(id);

/** Begins with the device check. `changed` is told of each other view. Returns { shown, show(name) }. */
export function startViews(changed) {
  const all = ["check", "waiting", "call", "over"].map((name) => [name, byId(`view-${name}`)]).filter(([, view]) => view);
  const views = {
    shown: "check",
    show(name) {
      if (name === views.shown) return;
      views.shown = name;
      for (const [each, view] of all) view.hidden = each !== name;
      byId("masthead").hidden = name === "waiting" || name === "call";
      scrollTo(0, 0);
      byId(`${name}-title`).focus({ preventScroll: true });
      changed(name);
    },
  };
  return views;
}
