/** The few lines of XML that an MPD takes. */

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export class Xml {
  text = '<?xml version="1.0" encoding="UTF-8"?>\n';
  private depth = 0;

  open(name: string, attributes: Attributes): void {
    this.text += `${"  ".repeat(this.depth++)}<${name}${this.attributes(attributes)}>\n`;
  }

  close(name: string): void {
    this.text += `${"  ".repeat(--this.depth)}</${name}>\n`;
  }

  leaf(name: string, attributes: Attributes, content?: string): void {
    const start = `${"  ".repeat(this.depth)}<${name}${this.attributes(attributes)}`;
    this.text += content === undefined ? `${start}/>\n` : `${start}>${escapeXml(content)}</${name}>\n`;
  }

  private attributes(values: Attributes): string {
    let out = "";
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined) out += ` ${name}="${escapeXml(String(value))}"`;
    }
    return out;
  }
}

/** Characters that XML 1.0 forbids even when escaped are dropped. */
function escapeXml(text: string): string {
  return text
    .replace(
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      "",
    )
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
