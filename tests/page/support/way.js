// The way between a page and its server, over polling alone: what is said on it can be held, or said otherwise.
// For states that a healthy server does not bring about.

const POLLING = /\/socket\.io\/\?.*transport=polling/;

/** From now on this page's line stays with polling: its WebSocket is never answered. */
export async function overPolling(person) {
  await person.page.routeWebSocket(/\/socket\.io\//, () => {});
  await person.page.reload();
}

/** What the page says and `matches` is not answered any more. */
export async function hold(person, matches) {
  await person.page.route(POLLING, (route) => {
    if (!matches(route.request().postData() ?? "")) return route.fallback();
    // Neither answered nor refused.
  });
}

/** What the server says is put in other words. */
export async function rewrite(person, pattern, words) {
  await person.page.route(POLLING, async (route) => {
    if (route.request().method() !== "GET") return route.fallback();
    try {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace(pattern, words) });
    } catch {
      await route.abort();
    }
  });
}
