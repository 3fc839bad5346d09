// Draws what is wrong with camera and microphone, once for each cause.

import { browserOf, noticesFor } from "./troubles.js";

/** Returns a function that shows `troubles` (by part) in `box`; the same again changes nothing.
    `isIn` is true past the device check, where somebody goes on without and puts the notice away;
    `help` makes a last paragraph of it, or nothing. */
export function noticeBox(box, { place, again, isIn = false, help = () => null }) {
  let said = "[]";
  const rest = () => box.closest("section, main").querySelector("[tabindex='-1']").focus({ preventScroll: true });
  return (troubles) => {
    const notices = noticesFor(troubles, { browser: browserOf(navigator), place, isIn });
    const text = JSON.stringify(notices);
    if (text === said) return;
    said = text;
    const held = box.contains(document.activeElement);
    box.replaceChildren(...notices.map((notice) => {
      const note = Object.assign(document.createElement("div"), { className: "flash flash-wait" });
      const words = document.createElement("p");
      words.append(Object.assign(document.createElement("b"), { textContent: `${notice.title}.` }), ` ${notice.text}`);
      note.append(words);
      if (notice.again) {
        const button = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: "Try again" });
        button.addEventListener("click", () => { said = ""; again(notice); });
        note.append(button);
      }
      if (isIn) {
        const button = Object.assign(document.createElement("button"), { type: "button", className: "button button-quiet", textContent: "Go on without it" });
        button.addEventListener("click", () => { box.replaceChildren(); rest(); });
        note.append(button);
      }
      const last = help();
      if (last) words.append(last);
      return note;
    }));
    if (!held) return;
    const button = box.querySelector("button");
    if (button) button.focus(); else rest();
  };
}
