// Before the first paint: the chosen theme, and word to the style sheet that scripts run here.
// Nothing comes in but one stored word, nothing goes out but two attributes of the root element.
// It never waits for anything: a classic script, since a module would run after the first paint.
// Left out: everything else; the switch itself is in menu.js.
{
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const theme = localStorage.getItem("roomcast.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // Storage is closed to us (a privacy setting): the system's choice stands.
  }
}
