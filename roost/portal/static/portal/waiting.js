// Keeps the Account page of somebody who waits true while it stays open: when the practice has acted
// it is loaded anew, unless something is being typed. Counts the pause before another e-mail down.
const EVERY = 10_000;
const MOST = 180;

const here = document.querySelector("[data-state]");
const code = document.querySelector("input[name=code]");
let looks = 0;

const look = async () => {
  if (document.visibilityState !== "visible" || code?.value) return;
  looks += 1;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (page.querySelector("[data-state]")?.dataset.state !== here.dataset.state) location.reload();
};

const watch = setInterval(() => {
  if (looks >= MOST) clearInterval(watch);
  else look().catch(() => {});
}, EVERY);

const button = document.querySelector("button[data-pause]");
const words = document.querySelector("[data-pause-words]");
let seconds = Number(button?.dataset.pause ?? 0);

const count = () => {
  button.disabled = seconds > 0;
  words.textContent = seconds > 0
    ? `You can send another in ${seconds} second${seconds === 1 ? "" : "s"}. `
    : "";
  if (seconds > 0) setTimeout(count, 1000);
  seconds -= 1;
};
if (button && seconds > 0) count();
