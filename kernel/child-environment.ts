/** What a child process finds its files by. */
const NAMES = ["PATH", "HOME", "TMPDIR", "LANG", "TZ"];

/** The environment of a child process: none of ours but what any program needs, because ours may hold secrets, and `more`. */
export function childEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const own = NAMES.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(own), ...more };
}
