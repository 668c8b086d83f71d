/** What follows from parameters is there once for all names that share them, and goes with them. */
export function onceFor<Params extends object, Result>(make: (params: Params) => Result): (params: Params) => Result {
  const made = new WeakMap<Params, Result>();
  return (params) => {
    const known = made.get(params);
    if (known !== undefined) return known;
    const result = make(params);
    made.set(params, result);
    return result;
  };
}
