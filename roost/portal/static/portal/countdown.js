// Keeps the next session's words true while the page stays open, and loads it anew when Join opens
// or closes. Times are counted from the server's clock, so a wrong clock in the browser harms nothing.
const card = document.querySelector("[data-next]");

const say = (ms) => {
  const minutes = Math.max(0, Math.round(ms / 60000));
  const count = (number, thing) => `${number} ${thing}${number === 1 ? "" : "s"}`;
  if (minutes < 1) return "less than a minute";
  if (minutes < 91) return count(minutes, "minute");
  const hours = Math.round(minutes / 60);
  return hours < 37 ? count(hours, "hour") : count(Math.round(minutes / 1440), "day");
};

if (card) {
  const at = (name) => Date.parse(card.dataset[name]);
  const begun = performance.now();
  const served = at("now");
  const now = () => served + performance.now() - begun;
  const kicker = card.querySelector("[data-kicker]");
  const untilOpen = card.querySelector("[data-until-open]");
  const turns = [at("opens"), at("closes")].filter((turn) => turn > served);

  const tick = () => {
    const moment = now();
    if (turns.some((turn) => turn <= moment)) {
      location.reload();
      return;
    }
    if (moment < at("starts")) kicker.textContent = `Starts in ${say(at("starts") - moment)}`;
    else if (moment < at("ends")) kicker.textContent = `Started ${say(moment - at("starts"))} ago`;
    else kicker.textContent = `Ended ${say(moment - at("ends"))} ago`;
    if (untilOpen) untilOpen.textContent = `That is in ${say(at("opens") - moment)}.`;
    const next = Math.min(...turns.map((turn) => turn - moment), 15000);
    setTimeout(tick, Math.max(250, next));
  };
  tick();
}
