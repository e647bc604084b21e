/** A quiet piece of generative music: swelling chords, a plucked figure above them, wind below. */
export interface Music {
  /** The lowest note, in Hz. */
  readonly rootHz: number;
  /** Chords as semitones above the root; each swells and fades before the next. */
  readonly chords: readonly (readonly number[])[];
  readonly chordS: number;
  /** Seconds between plucked notes; 0 for none. */
  readonly pluckS: number;
  /** Loudness of the wind, 0 to 1, and where it whistles. */
  readonly wind: number;
  readonly windHz: number;
  /** A pulse under the chords, in Hz; 0 for none. */
  readonly pulseHz?: number;
}

/** Expressions are evaluated for every sample: half the rate is half the work, and soft music has nothing above it. */
const SYNTHESIS_HZ = 16000;

const round = (value: number): string => value.toFixed(3);
const hz = (music: Music, semitones: number): number => music.rootHz * 2 ** (semitones / 12);

/** Chooses a value by the chord that sounds now, whose number lies in register 0. */
const byChord = (values: readonly number[]): string =>
  values
    .slice(0, -1)
    .reduceRight(
      (rest, value, index) => `if(eq(ld(0)\\,${index})\\,${round(value)}\\,${rest})`,
      round(values.at(-1) ?? 0),
    );

function channel(music: Music, detune: number): string {
  const count = music.chords.length;
  const voices = Math.max(...music.chords.map((chord) => chord.length));
  const pad = Array.from({ length: voices }, (_, voice) => {
    const pitches = music.chords.map(
      (chord) => hz(music, chord[voice % chord.length] ?? 0) * (1 + detune * (voice % 2 === 0 ? 1 : -1)),
    );
    return `st(1\\,2*PI*t*${byChord(pitches)})*0+sin(ld(1))+0.25*sin(2*ld(1))`;
  });
  const swell = `pow(max(0\\,sin(PI*mod(t/${music.chordS}\\,1)))\\,0.8)`;
  const pulse = music.pulseHz ? `*(0.72+0.28*sin(2*PI*t*${music.pulseHz}))` : "";
  const parts = [`0.05*${swell}${pulse}*(${pad.join("+")})`];
  if (music.pluckS > 0) {
    const tones = Array.from({ length: voices }, (_, voice) =>
      byChord(music.chords.map((chord) => 2 * hz(music, chord[(voice * 2) % chord.length] ?? 0))),
    );
    const tone = tones
      .slice(0, -1)
      .reduceRight((rest, each, index) => `if(eq(ld(2)\\,${index})\\,${each}\\,${rest})`, tones.at(-1) ?? "0");
    const since = `mod(t\\,${music.pluckS})`;
    const attack = `min(1\\,${since}*60)`;
    parts.push(`0.055*${attack}*exp(-3.2*${since})*sin(2*PI*${since}*(${tone}))*(0.6+0.4*sin(t*0.21))`);
  }
  const chord = `st(0\\,mod(floor(t/${music.chordS})\\,${count}))*0`;
  const step = `st(2\\,mod(floor(t/${music.pluckS || 1})\\,${voices}))*0`;
  return `${chord}+${step}+${parts.join("+")}`;
}

/** A filter graph without inputs that ends in [label]: stereo, 48 kHz, gently faded at both ends. */
export function musicGraph(music: Music, durationS: number, label: string): string {
  // A long film repeats a whole number of chord rounds.
  const roundS = music.chords.length * music.chordS;
  const synthesizedS = Math.min(durationS, roundS * Math.max(1, Math.ceil(20 / roundS)));
  const tones = `aevalsrc=exprs='${channel(music, 0.0012)}|${channel(music, -0.0012)}':c=stereo:s=${SYNTHESIS_HZ}:d=${synthesizedS}`;
  const loop = synthesizedS < durationS ? `,aloop=loop=-1:size=${Math.round(synthesizedS * SYNTHESIS_HZ)}` : "";
  const space = "aecho=0.8:0.7:130|290|470:0.42|0.30|0.2,lowpass=f=5200";
  const gust = `tremolo=f=0.11:d=0.75,bandpass=f=${music.windHz}:width_type=q:w=0.7`;
  return [
    `${tones}${loop},${space},aresample=48000[${label}tones]`,
    `anoisesrc=color=pink:r=24000:a=${round(music.wind)}:seed=7:d=${durationS},${gust},aresample=48000,pan=stereo|c0=c0|c1=c0[${label}wind]`,
    `[${label}tones][${label}wind]amix=inputs=2:normalize=0:duration=shortest,atrim=end=${durationS},` +
      `afade=t=in:d=2.5,afade=t=out:st=${durationS - 4}:d=4,alimiter=limit=0.8:level=0,` +
      // One graph for two encoders does not cut frames to AAC's size by itself.
      `aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo,asetnsamples=n=1024:p=0[${label}]`,
  ].join(";");
}
