// The total of what is ticked. Without this script the page says what all of it comes to.

const list = document.querySelector("[data-sum-of]");
const words = document.querySelector("[data-sum-words]");
const total = document.querySelector("[data-sum]");
const decimals = Number(list.dataset.decimals);
const shape = new Intl.NumberFormat("en-CA", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

// Whole cents are added, so that no sum of fractions drifts.
const inCents = (amount) => Math.round(Number(amount) * 10 ** decimals);

function show() {
  const ticked = [...list.querySelectorAll("input:checked")];
  const sum = ticked.reduce((cents, tick) => cents + inCents(tick.closest("label").dataset.amount), 0);
  words.textContent = `${ticked.length} chosen`;
  total.textContent = `${list.dataset.symbol}${shape.format(sum / 10 ** decimals)}`;
}

list.addEventListener("change", show);
// A browser that comes back to the page may have kept the ticks.
window.addEventListener("pageshow", show);
show();
