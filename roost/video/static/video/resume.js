// Coming back to the page: what a phone has stopped meanwhile is noticed, and one press gets it again.

import { say } from "../core/ui.js";

// A browser may silence a track for a moment, and gives back by itself what it can.
const SETTLE = 1500;

/**
 * `isIn` says whether the person has gone past the device check; `wake` looks whether the socket lives,
 * `status` says something to the person. Returns { look, lookSoon, offer }: draw how it stands, now or in
 * a moment, or offer the button in any case.
 */
export function startResume({ devices, outgoing, stage, status, isIn, useTracks, wake }) {
  const button = document.getElementById("resume");
  let timer = 0, wasHeld = false;

  function look() {
    clearTimeout(timer);
    const stopped = isIn() ? devices.stopped : [];
    if (stopped.join() !== outgoing.stopped.join()) {
      outgoing.stopped = stopped;
      useTracks();
    }
    // Nobody is there to press it, and it may all come back with the page.
    if (!document.hidden) offer(stopped.length > 0 || stage.isPaused);
  }

  function offer(isWanted) {
    const isShown = isWanted && isIn();
    // Where only the sound is refused, the stage says so.
    if (isShown && button.hidden && devices.stopped.length) say("Your device has stopped the call. Press Tap to resume.");
    button.hidden = !isShown;
  }

  function lookSoon() {
    clearTimeout(timer);
    timer = setTimeout(look, SETTLE);
  }

  function comeBack() {
    if (document.hidden || !isIn()) return;
    wake();
    stage.playAll();
    lookSoon();
  }
  document.addEventListener("visibilitychange", comeBack);
  // After the browser has put the whole page to sleep.
  document.addEventListener("resume", comeBack);

  button.addEventListener("click", async () => {
    button.hidden = true;
    wake();
    stage.playAll();
    await devices.reopen();
    look();
    const isHeld = devices.stopped.length > 0;
    if (isHeld || wasHeld) status(isHeld ? "Your camera or microphone is still held by something else, or switched off. End that, and tap again." : "");
    wasHeld = isHeld;
  });
  return { look, lookSoon, offer: () => offer(true) };
}
