// Small manners that every page shares. Nothing here is needed for a page to work, but for Copy and Print.

/** Says something to who can't see the page change. */
export function say(words) {
  let region = document.getElementById("said");
  if (!region) {
    region = document.createElement("p");
    region.id = "said";
    region.className = "vh";
    region.setAttribute("role", "status");
    document.body.append(region);
  }
  region.textContent = "";
  requestAnimationFrame(() => { region.textContent = words; });
}

/** The text that a copy button means: what it names by a selector (#…, .…), or the words themselves. */
function textOf(wanted) {
  if (!/^[#.]/.test(wanted)) return wanted;
  const target = document.querySelector(wanted);
  if (!target) return "";
  return ("value" in target ? target.value : target.innerText).trim();
}

async function copy(button) {
  const text = textOf(button.dataset.copy);
  const label = button.querySelector("[data-copy-label]") ?? button;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const holder = Object.assign(document.createElement("textarea"), { value: text, className: "vh", readOnly: true });
    document.body.append(holder);
    holder.select();
    const done = document.execCommand("copy");
    holder.remove();
    button.focus();
    if (!done) return say("Copying isn’t allowed here. Select the text and copy it by hand.");
  }
  say("Copied");
  const last = [...label.childNodes].findLast((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!last || label.dataset.said) return;
  label.dataset.said = last.data;
  last.data = " Copied";
  setTimeout(() => { last.data = label.dataset.said; delete label.dataset.said; }, 2500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-print]");
  if (!button) return;
  if ("print" in button.dataset) window.print();
  else copy(button);
});

// A form is sent once: while the pressed button is busy, a second press does nothing.
const BUSY_MS = 15000;
const rested = (button) => button.removeAttribute("aria-busy");
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.target) return;
  if (form.querySelector("button[aria-busy]")) return event.preventDefault();
  const button = event.submitter ?? form.querySelector("button[type=submit], button:not([type])");
  if (!button) return;
  button.setAttribute("aria-busy", "true");
  setTimeout(rested, BUSY_MS, button);
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("button[aria-busy]").forEach(rested);
});

// Where one is stands in view, in a bar too long for the screen.
for (const here of document.querySelectorAll(".tabs [aria-current], .desk-nav [aria-current], .persons [aria-current]")) {
  const bar = here.parentElement;
  bar.scrollLeft = here.offsetLeft - bar.offsetLeft - (bar.clientWidth - here.offsetWidth) / 2;
}

// The error summary speaks first.
const faceSummary = (root) => root.querySelector?.(".summary")?.focus();
faceSummary(document);
document.addEventListener("htmx:afterSwap", (event) => faceSummary(event.detail.target));

// What the browser's own check finds is said beside the field, once the field is left. Not while a
// pointer is down: the hint makes room for itself, and the button would slip away from under the press.
const AFTER_PRESS_MS = 300;
const kept = new Set();
let pressing = false;
let releasing = 0;

function tie(input, found) {
  const hint = input.id && document.getElementById(`${input.id}_hint`);
  if (!hint) return;
  const others = (input.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== hint.id);
  const wrong = found ?? input.matches(":user-invalid");
  hint.classList.toggle("error-now", wrong);
  if (wrong) { others.push(hint.id); input.setAttribute("aria-invalid", "true"); } else input.removeAttribute("aria-invalid");
  if (others.length) input.setAttribute("aria-describedby", others.join(" "));
  else input.removeAttribute("aria-describedby");
}
function release() {
  pressing = false;
  kept.forEach((input) => tie(input));
  kept.clear();
}
document.addEventListener("pointerdown", () => { pressing = true; clearTimeout(releasing); }, true);
// A finger's mouse events come after it is lifted, and the press after them.
for (const lifted of ["pointerup", "pointercancel"]) {
  document.addEventListener(lifted, () => { releasing = setTimeout(release, AFTER_PRESS_MS); }, true);
}
document.addEventListener("focusout", ({ target }) => {
  if (!target.matches?.(".input")) return;
  if (pressing) kept.add(target);
  else tie(target);
});
document.addEventListener("input", ({ target }) => { if (target.matches?.(".input[aria-invalid]")) tie(target); });
document.addEventListener("invalid", ({ target }) => { if (target.matches?.(".input")) tie(target, true); }, true);

// Browsers that know no popover: the menu opens and closes all the same.
if (!("popover" in HTMLElement.prototype)) {
  for (const button of document.querySelectorAll("[popovertarget]")) {
    const panel = document.getElementById(button.getAttribute("popovertarget"));
    panel.hidden = true;
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
      panel.hidden = !panel.hidden;
      button.setAttribute("aria-expanded", String(!panel.hidden));
    });
  }
}
