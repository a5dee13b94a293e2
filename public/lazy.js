// Parts of the page that nobody needs for its first paint: each is fetched with its first use.
// A function that imports comes in; a function that hands out the part goes out.
// It knows no part, and forgets a fetch that failed, so that the next use tries again.
// Left out: fetching ahead; what nobody opens is never paid for.

/** `load()` makes the part, `failed()` says that it did not come. `use.part` is the part once it is here. */
export function lazily(load, failed) {
  let coming = null;
  async function use(wanted) {
    coming ??= load();
    try {
      use.part = await coming;
    } catch {
      coming = null;
      return failed();
    }
    return wanted(use.part);
  }
  use.part = null;
  return use;
}
