/** YAML of plain data: strings in JSON's quotes (which YAML 1.2 reads), text of several lines as blocks, everything else on lines of its own. */
export type Data = string | number | boolean | readonly Data[] | { readonly [member: string]: Data | undefined };

export function toYaml(data: Data, comment: string): string {
  return `${comment
    .split("\n")
    .map((line) => `# ${line}\n`)
    .join("")}${lines(data, "").join("\n")}\n`;
}

function lines(data: Data, indent: string): string[] {
  if (Array.isArray(data)) {
    return data.flatMap((item: Data) => {
      const [first = "", ...rest] = lines(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  if (typeof data === "object") {
    return Object.entries(data).flatMap(([name, value]) => (value === undefined ? [] : member(name, value, indent)));
  }
  return [`${indent}${scalar(data, indent)}`];
}

function member(name: string, value: Data, indent: string): string[] {
  if (typeof value !== "object") return [`${indent}${name}: ${scalar(value, indent)}`];
  const isEmpty = Object.keys(value).length === 0;
  if (isEmpty) return [`${indent}${name}: ${Array.isArray(value) ? "[]" : "{}"}`];
  return [`${indent}${name}:`, ...lines(value, `${indent}  `)];
}

function scalar(value: string | number | boolean, indent: string): string {
  if (typeof value !== "string") return String(value);
  if (!value.includes("\n")) return JSON.stringify(value);
  return `|-\n${value
    .split("\n")
    .map((line) => `${indent}  ${line}`)
    .join("\n")}`;
}
