// Tells the log-in form which zone the browser lives in, so that times are said in it.
for (const input of document.querySelectorAll("input[data-zone]")) {
  input.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
