// One key for each thing of a call. They can be switched off: whoever speaks to their computer, or
// touches keys by accident, would press them unawares.

import { memory } from "./memory.js";

/** `acts` are what a key may do, by its letter; `isOn` whether the call is in view. */
export function listenToKeys({ acts, isOn, box }) {
  box.checked = memory.read().keys !== false;
  box.addEventListener("change", () => memory.write({ keys: box.checked }));
  addEventListener("keydown", (event) => {
    if (!isOn() || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (document.querySelector("dialog[open]") || event.target.closest?.("input:not([type=checkbox]), select, textarea")) return;
    const act = acts[event.key.toLowerCase()];
    if (!act || (event.key !== "Escape" && !box.checked)) return;
    if (act() !== false) event.preventDefault();
  });
}
