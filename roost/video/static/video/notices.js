// Draws what is wrong with camera and microphone, once for each cause.

import { browserOf, noticesFor } from "./troubles.js";

/** Returns a function that shows `troubles` (by part) in `box`; the same again changes nothing. */
export function noticeBox(box, { place, again }) {
  let said = "";
  return (troubles) => {
    const notices = noticesFor(troubles, { browser: browserOf(navigator), place });
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
      return note;
    }));
    if (held) box.querySelector("button")?.focus();
  };
}
