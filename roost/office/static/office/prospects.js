// The edit bar says who is chosen, and keeps back what is for one prospect only.

import { say } from "../core/ui.js";

const form = document.getElementById("prospects");

function show(aloud) {
  const chosen = [...form.querySelectorAll(".tick:checked")].map((tick) => tick.dataset.name);
  const slot = document.getElementById("chosen");
  if (!slot) return;
  const words = chosen.length === 1 ? chosen[0] : `${chosen.length} chosen`;
  const apart = chosen.length > 1 && form.querySelector("[data-for-one]") ? ". Create Client, Associate and Verify take one at a time." : "";
  if (chosen.length) slot.textContent = words + apart;
  for (const button of form.querySelectorAll("[data-for-one]")) button.disabled = chosen.length > 1;
  if (aloud) say(chosen.length ? `${words}${apart || "."} What you can do is above the list.` : "Nobody is chosen.");
}

form.addEventListener("change", ({ target }) => { if (target.matches(".tick")) show(true); });
// A browser that comes back to the page may have kept the ticks.
window.addEventListener("pageshow", () => show(false));
document.addEventListener("htmx:afterSwap", () => show(false));
