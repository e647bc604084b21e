/**
 * The topology as a picture (SVG 1.1): callers on the left, those whom they call to the right of them, calls as whole lines and events as
 * dashed ones. Lines take the colour of where they begin, so that they can be followed.
 */
import { type Arrow, flowsOf, type Topology } from "./topology-model.ts";

const BOX = { width: 132, height: 34 } as const;
const GAP = { x: 110, y: 72 } as const;
/** Every other column stands lower, so that long lines pass between boxes. */
const STAGGER = 34;
const MARGIN = 48;
const LEGEND_HEIGHT = 40;

interface Place {
  readonly x: number;
  readonly y: number;
  readonly layer: number;
}

export function drawTopology(topology: Topology): string {
  const layers = layersOf(
    topology.nodes.map(({ name }) => name),
    topology.calls,
  );
  const rowsMax = Math.max(...layers.map((layer) => layer.length));
  const width = MARGIN * 2 + layers.length * BOX.width + (layers.length - 1) * GAP.x;
  const height = MARGIN * 2 + rowsMax * BOX.height + (rowsMax - 1) * GAP.y + STAGGER + LEGEND_HEIGHT;
  const places = placesOf(layers, rowsMax);
  const names = topology.nodes.map(({ name }) => name);
  const colour = (name: string): string => `hsl(${Math.round((names.indexOf(name) * 360) / names.length)} 60% 38%)`;
  const line = ({ from, to }: Arrow, rest: string, title: string): string =>
    `<path d="${pathBetween(places.get(from), places.get(to))}" fill="none" stroke="${colour(from)}" ${rest} marker-end="url(#arrow)"><title>${escape(title)}</title></path>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13">`,
    "<title>Marquee: who calls whom, and which event goes where</title>",
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="context-stroke"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...flowsOf(topology).map((flow) =>
      line(
        flow,
        'stroke-width="1.2" stroke-dasharray="5 4" opacity="0.75"',
        `${flow.from} to ${flow.to}: ${flow.events.join(", ")}`,
      ),
    ),
    ...topology.calls.map((call) => line(call, 'stroke-width="1.4" opacity="0.8"', `${call.from} calls ${call.to}`)),
    ...topology.nodes.map(({ name, kind }) => {
      const { x, y } = places.get(name) ?? { x: 0, y: 0 };
      const round = kind === "bff" ? BOX.height / 2 : 5;
      return `<g transform="translate(${x} ${y})"><rect width="${BOX.width}" height="${BOX.height}" rx="${round}" fill="#fbfaf8" stroke="${colour(name)}" stroke-width="1.6"/><text x="${BOX.width / 2}" y="${BOX.height / 2 + 4.5}" text-anchor="middle" fill="#1d1b20">${escape(name)}</text></g>`;
    }),
    `<g transform="translate(${MARGIN} ${height - MARGIN / 2})" fill="#55505a"><path d="M0 -4h36" stroke="#55505a" stroke-width="1.4"/><text x="44">calls</text><path d="M104 -4h36" stroke="#55505a" stroke-dasharray="5 4"/><text x="148">events</text></g>`,
    "</svg>",
    "",
  ].join("\n");
}

/** Each name as far to the right as the longest way of calls that leads to it; a call that leads back on its own way counts for nothing. */
export function layersOf(names: readonly string[], calls: readonly Arrow[]): string[][] {
  const callees = new Map(names.map((name) => [name, calls.filter(({ from }) => from === name).map(({ to }) => to)]));
  const forward = new Map<string, string[]>();
  const state = new Map<string, "open" | "done">();
  const order: string[] = [];
  const visit = (name: string): void => {
    state.set(name, "open");
    const ahead = (callees.get(name) ?? []).filter((callee) => {
      if (state.get(callee) === undefined) visit(callee);
      return state.get(callee) === "done";
    });
    forward.set(name, ahead);
    state.set(name, "done");
    order.unshift(name);
  };
  for (const name of names) if (state.get(name) === undefined) visit(name);
  const depths = new Map<string, number>();
  for (const name of order) {
    const depth = depths.get(name) ?? 0;
    depths.set(name, depth);
    for (const callee of forward.get(name) ?? []) depths.set(callee, Math.max(depths.get(callee) ?? 0, depth + 1));
  }
  const layers = Array.from({ length: Math.max(0, ...depths.values()) + 1 }, (): string[] => []);
  for (const name of names) layers[depths.get(name) ?? 0]?.push(name);
  return sortedByCallers(layers, calls);
}

/** Within a layer, each near the middle of those that call it, so that fewer lines cross. */
function sortedByCallers(layers: string[][], calls: readonly Arrow[]): string[][] {
  const rows = new Map<string, number>();
  for (const layer of layers) {
    const middle = new Map(
      layer.map((name, i) => {
        const above = calls.flatMap(({ from, to }) => (to === name && rows.has(from) ? [rows.get(from) ?? 0] : []));
        return [name, above.length === 0 ? i : above.reduce((sum, row) => sum + row, 0) / above.length];
      }),
    );
    layer.sort((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0));
    for (const [row, name] of layer.entries()) rows.set(name, row - layer.length / 2);
  }
  return layers;
}

function placesOf(layers: readonly (readonly string[])[], rowsMax: number): Map<string, Place> {
  return new Map(
    layers.flatMap((layer, column) =>
      layer.map((name, row): [string, Place] => [
        name,
        {
          x: MARGIN + column * (BOX.width + GAP.x),
          y: MARGIN + (row + (rowsMax - layer.length) / 2) * (BOX.height + GAP.y) + (column % 2) * STAGGER,
          layer: column,
        },
      ]),
    ),
  );
}

/** From the right side of a box to the left side of one further right; back and within a layer around the right side. */
function pathBetween(from: Place | undefined, to: Place | undefined): string {
  if (!from || !to) return "";
  const middle = BOX.height / 2;
  const start = { x: from.x + BOX.width, y: from.y + middle };
  if (to.layer > from.layer) {
    const bend = (to.x - start.x) / 2;
    return `M${start.x} ${start.y}C${start.x + bend} ${start.y} ${to.x - bend} ${to.y + middle} ${to.x - 2} ${to.y + middle}`;
  }
  const end = { x: to.x + BOX.width + 2, y: to.y + middle };
  const bulge = 46 + Math.abs(end.y - start.y) / 5;
  return `M${start.x} ${start.y}C${start.x + bulge} ${start.y} ${end.x + bulge} ${end.y} ${end.x} ${end.y}`;
}

const escape = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
