import type { Look } from "../api.ts";
import { difference, moment } from "../format.ts";
import { digitsOf, scaleOf, spanOf, ticksOf } from "./scale.ts";

const WIDTH = 720;
const HEIGHT = 280;
const EDGE = { left: 64, right: 20, top: 16, bottom: 36 };

/**
 * An effect with its always-valid interval, as it was known over time: the band narrows as people are counted, and where it leaves none behind,
 * something was found.
 */
export function IntervalChart({ looks, label }: { looks: readonly Look[]; label: string }) {
  const last = looks.at(-1);
  if (last === undefined) return null;
  const times = looks.map(({ atMs }) => Number(atMs));
  const first = times[0] ?? 0;
  // The first looks are so wide that nothing else would be seen: the axis fits the later ones, and the band is cut.
  const telling = looks.slice(Math.floor(looks.length / 4));
  const [fromY, toY] = spanOf([0, ...telling.flatMap(({ low, high }) => [low, high])]);
  const x = scaleOf(first, times.at(-1) ?? first, EDGE.left + (looks.length === 1 ? 0 : 8), WIDTH - EDGE.right - 8);
  const y = scaleOf(fromY, toY, HEIGHT - EDGE.bottom, EDGE.top);
  const at = (look: Look, value: number): string => `${x(Number(look.atMs))} ${y(value)}`;
  const band = `M${looks.map((look) => at(look, look.high)).join("L")}L${looks
    .toReversed()
    .map((look) => at(look, look.low))
    .join("L")}Z`;
  const ticksY = ticksOf(fromY, toY, 5);
  const digits = digitsOf(ticksY);
  const span = (times.at(-1) ?? first) - first;
  const ticksX = span === 0 ? [first] : [0, 1 / 3, 2 / 3, 1].map((share) => first + share * span);
  const clip = `clip-${label.replaceAll(/\W/g, "-")}`;
  return (
    <figure className="chart">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`${label} over time: now ${difference(last.effect)}, from ${difference(last.low)} to ${difference(last.high)}`}
      >
        <clipPath id={clip}>
          <rect
            x={EDGE.left}
            y={EDGE.top}
            width={WIDTH - EDGE.left - EDGE.right}
            height={HEIGHT - EDGE.top - EDGE.bottom}
          />
        </clipPath>
        {ticksY.map((tick) => (
          <g key={tick}>
            <line x1={EDGE.left} x2={WIDTH - EDGE.right} y1={y(tick)} y2={y(tick)} className="chart-grid" />
            <text x={EDGE.left - 10} y={y(tick)} dy="0.35em" textAnchor="end" className="chart-text">
              {difference(tick, digits)}
            </text>
          </g>
        ))}
        {ticksX.map((tick, index) => (
          <text
            key={tick}
            x={x(tick)}
            y={HEIGHT - 12}
            textAnchor={
              ticksX.length === 1 ? "middle" : index === 0 ? "start" : index === ticksX.length - 1 ? "end" : "middle"
            }
            className="chart-text"
          >
            {moment(tick)}
          </text>
        ))}
        <g clipPath={`url(#${clip})`}>
          {looks.length > 1 ? (
            <>
              <path d={band} className="chart-band" />
              <path d={`M${looks.map((look) => at(look, look.effect)).join("L")}`} className="chart-line" />
            </>
          ) : (
            <line x1={x(first)} x2={x(first)} y1={y(last.low)} y2={y(last.high)} className="chart-whisker" />
          )}
        </g>
        <line x1={EDGE.left} x2={WIDTH - EDGE.right} y1={y(0)} y2={y(0)} className="chart-zero" />
        <g className="chart-mark chart-mark-full">
          <circle cx={x(Number(last.atMs))} cy={y(last.effect)} r="5.5" />
        </g>
      </svg>
      <figcaption className="chart-legend">
        <span className="legend-line">effect: treatment less control</span>
        <span className="legend-band">interval that holds at all times together, 95 %</span>
      </figcaption>
    </figure>
  );
}

/** One interval as it is now, small: for guardrails, beside their figures. */
export function IntervalBar({ low, high, effect }: { low: number; high: number; effect: number }) {
  const [from, to] = spanOf([0, low, high], 0.08);
  const x = scaleOf(from, to, 0, 200);
  return (
    <svg viewBox="0 0 200 20" className="interval-bar" aria-hidden="true">
      <line x1={x(0)} x2={x(0)} y1="1" y2="19" className="chart-zero" />
      <line x1={x(low)} x2={x(high)} y1="10" y2="10" className="chart-whisker" />
      <circle cx={x(effect)} cy="10" r="4.5" className="interval-dot" />
    </svg>
  );
}
