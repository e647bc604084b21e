import { digitsOf, scaleOf, spanOf, ticksOf } from "./scale.ts";

export interface Point {
  /** The version's number. */
  readonly x: number;
  readonly y: number;
  /** How it is drawn: what serves is full. */
  readonly mark: "full" | "hollow" | "cross";
  readonly title: string;
}

const WIDTH = 720;
const HEIGHT = 260;
const EDGE = { left: 56, right: 16, top: 16, bottom: 36 };

/** A metric over versions, with what each was compared with: two lines on one pair of axes. The table below says the same in figures. */
export function VersionChart(props: {
  label: string;
  points: readonly Point[];
  /** What answered when each was trained; by version. */
  beside: readonly { readonly x: number; readonly y: number }[];
  besideName: string;
}) {
  const { points, beside, label, besideName } = props;
  const xs = [...points, ...beside].map(({ x }) => x);
  const [fromX, toX] = [Math.min(...xs), Math.max(...xs)];
  const [fromY, toY] = spanOf([...points, ...beside].map(({ y }) => y));
  const x = scaleOf(fromX, toX, EDGE.left + 24, WIDTH - EDGE.right - 24);
  const y = scaleOf(fromY, toY, HEIGHT - EDGE.bottom, EDGE.top);
  const ticksY = ticksOf(fromY, toY, 4);
  const digits = digitsOf(ticksY);
  const every = Math.max(1, Math.ceil((toX - fromX + 1) / 12));
  const ticksX = Array.from({ length: toX - fromX + 1 }, (_, at) => fromX + at).filter((_, at) => at % every === 0);
  const path = (line: readonly { readonly x: number; readonly y: number }[]): string =>
    line.map((point, at) => `${at === 0 ? "M" : "L"}${x(point.x)} ${y(point.y)}`).join("");
  return (
    <figure className="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${label} over versions, beside ${besideName}`}>
        {ticksY.map((tick) => (
          <g key={tick}>
            <line x1={EDGE.left} x2={WIDTH - EDGE.right} y1={y(tick)} y2={y(tick)} className="chart-grid" />
            <text x={EDGE.left - 10} y={y(tick)} dy="0.35em" textAnchor="end" className="chart-text">
              {tick.toFixed(digits)}
            </text>
          </g>
        ))}
        {ticksX.map((tick) => (
          <text key={tick} x={x(tick)} y={HEIGHT - 12} textAnchor="middle" className="chart-text">
            {`v${tick}`}
          </text>
        ))}
        <path d={path(beside)} className="chart-beside" />
        {beside.map((point) => (
          <circle key={point.x} cx={x(point.x)} cy={y(point.y)} r="2.5" className="chart-beside-dot" />
        ))}
        <path d={path(points)} className="chart-line" />
        {points.map((point) => (
          <g key={point.x} className={`chart-mark chart-mark-${point.mark}`}>
            <title>{point.title}</title>
            {point.mark === "cross" ? (
              <path d={`M${x(point.x) - 5} ${y(point.y) - 5}l10 10m0-10l-10 10`} />
            ) : (
              <circle cx={x(point.x)} cy={y(point.y)} r="5.5" />
            )}
          </g>
        ))}
      </svg>
      <figcaption className="chart-legend">
        <span className="legend-line">{label} of each version</span>
        <span className="legend-beside">{besideName}</span>
        <span>● serves or served</span>
        <span>✕ refused or taken back</span>
      </figcaption>
    </figure>
  );
}
