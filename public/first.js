// Before the first paint: the chosen theme, and word to the style sheet that scripts run here.
// A classic script, since a module would run after the first paint.
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
