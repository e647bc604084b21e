import path from "node:path";

const LINES_MAX = 400;

type Read = (file: string) => string;

const BINARY = /\.(png|jpe?g|webp|avif|gif|ico|woff2?|ttf|otf|mp4|m4s|wasm|onnx|bin|gz|zip|der|p12)$/i;
const isText = (file: string): boolean => !BINARY.test(file);

/**
 * Hosts of package registries, and absolute paths of a developer's machine. The expressions are put together from
 * pieces, so that this file does not hold what it forbids.
 */
const dot = String.raw`\.`;
const FORBIDDEN: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  {
    what: "the host of a package registry",
    pattern: new RegExp(
      [
        `registry${dot}(npmjs|yarnpkg|npmmirror)${dot}`,
        `npm${dot}pkg${dot}`,
        `(files${dot})?pythonhosted${dot}org`,
        `pypi${dot}org`,
        `repo1?${dot}maven${dot}`,
        `proxy${dot}golang${dot}org`,
        `rubygems${dot}org`,
        `crates${dot}io`,
        `${dot}jfrog${dot}io`,
      ].join("|"),
      "i",
    ),
  },
  {
    what: "a path of one machine",
    pattern: new RegExp(String.raw`(?<![\w.~$}/-])/(${["root", "work", "home/[a-z]+", "Users/[A-Za-z]+"].join("|")})/`),
  },
];

/** Lines that name what differs between machines. */
export function forbiddenWords(files: readonly string[], read: Read): string[] {
  return files.filter(isText).flatMap((file) =>
    read(file)
      .split("\n")
      .flatMap((line, index) =>
        FORBIDDEN.flatMap(({ what, pattern }) => {
          const found = pattern.exec(line);
          return found ? [`${file}:${index + 1}: '${found[0]}' is ${what}`] : [];
        }),
      ),
  );
}

/** Relative links and pictures in Markdown whose target is not there. */
export function brokenLinks(files: readonly string[], read: Read, exists: (file: string) => boolean): string[] {
  const problems: string[] = [];
  for (const file of files.filter((name) => name.endsWith(".md"))) {
    // What stands in code is an example, not a link; its lines stay, for the numbers.
    const text = read(file)
      .replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, (block) => block.replaceAll(/[^\n]/g, ""))
      .replaceAll(/`[^`\n]*`/g, "");
    for (const [index, line] of text.split("\n").entries()) {
      const links = [...line.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g), ...line.matchAll(/(?:src|href)="([^"]+)"/g)];
      for (const [, link = ""] of links) {
        if (/^([a-z][a-z0-9+.-]*:|#|\/\/)/i.test(link)) continue;
        const target = decodeURI(link.replace(/[#?].*$/, ""));
        const resolved = target.startsWith("/") ? target.slice(1) : path.posix.join(path.posix.dirname(file), target);
        if (!exists(resolved)) problems.push(`${file}:${index + 1}: '${link}' leads nowhere`);
      }
    }
  }
  return problems;
}

/** Files that have outgrown their room (STYLE.md, 6). Codecs may be longer, and generated code is nobody's reading. */
export function longFiles(files: readonly string[], read: Read): string[] {
  return files
    .filter((file) => /\.(ts|tsx|mjs)$/.test(file) && !file.startsWith("media/") && !file.includes("/gen/"))
    .map((file) => ({ file, lines: read(file).split("\n").length - 1 }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(
      ({ file, lines }) => `warning: ${file} has ${lines} lines; about ${LINES_MAX} is where a file wants to be two`,
    );
}
