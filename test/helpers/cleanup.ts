/** A test context, or `{ after }` of node:test for a whole file. */
interface Owner {
  after(fn: () => Promise<void>): void;
}

const stacks = new WeakMap<Owner, (() => unknown)[]>();

/** Like `t.after`, but newest first: node:test runs hooks oldest first and would remove the folder under a server. */
export function cleanup(owner: Owner, fn: () => unknown): void {
  const known = stacks.get(owner);
  if (known) return void known.push(fn);
  const stack = [fn];
  stacks.set(owner, stack);
  owner.after(async () => {
    for (let next = stack.pop(); next; next = stack.pop()) await next();
  });
}
