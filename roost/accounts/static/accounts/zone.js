// The zone the browser lives in. The log-in form is told, so that times are said in it.
for (const input of document.querySelectorAll("input[data-zone]")) {
  input.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}

// Where a zone is chosen, the browser's own stands among the likely ones, the first of the two groups.
for (const select of document.querySelectorAll("select[data-zones]")) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const option = [...select.options].find((each) => each.value === own);
  const likely = select.querySelector("optgroup");
  if (option && option.parentElement !== likely) likely.append(option);
}
