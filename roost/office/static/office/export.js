// Shows how far a large table has come. Without this script the form downloads it by itself.

const form = document.querySelector("[data-export]");
const state = form.querySelector("[data-export-state]");
const bar = state.querySelector("progress");
const words = state.querySelector("[role=status]");
const button = form.querySelector("button[type=submit]");
const NEWLINE = 10;

function say(rows, total) {
  const all = total.toLocaleString("en-CA");
  bar.max = Math.max(total, 1);
  bar.value = total ? rows : 1;
  words.textContent = rows < total ? `${rows.toLocaleString("en-CA")} of ${all} rows` : `All ${all} rows are here.`;
}

function save(parts, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function receive(address) {
  const answer = await fetch(address, { credentials: "same-origin" });
  const total = Number(answer.headers.get("X-Rows"));
  if (!answer.ok || answer.redirected || !answer.headers.has("X-Rows")) throw new Error("no table");
  const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
  const parts = [];
  let lines = 0;
  say(0, total);
  state.hidden = false;
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    for (const byte of value) lines += byte === NEWLINE;
    // The first line holds the headings.
    say(Math.min(Math.max(lines - 1, 0), total), total);
  }
  if (lines - 1 < total) throw new Error("cut short");
  save(parts, name);
  say(total, total);
}

form.addEventListener("submit", async (event) => {
  if (!form.reportValidity()) return;
  event.preventDefault();
  const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
  button.disabled = true;
  try {
    await receive(address);
  } catch {
    // Whatever stood in the way, the plain answer says it.
    state.hidden = true;
    location.assign(address);
  } finally {
    button.disabled = false;
  }
});
