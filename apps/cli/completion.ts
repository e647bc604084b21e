import type { Command } from "commander";
import { problem } from "#kernel";

/** One command of the program, with the words that may follow it. */
interface Node {
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly { readonly flag: string; readonly summary: string }[];
}

/** The completion script of a shell, made from the program itself so that it cannot be out of date. */
export function completionScript(program: Command, shell: string): string {
  const nodes = walk(program, []);
  if (shell === "bash") return bash(nodes);
  if (shell === "zsh") return `autoload -U +X bashcompinit && bashcompinit\n${bash(nodes)}`;
  if (shell === "fish") return fish(nodes);
  throw problem.invalid(`shell '${shell}' is not known: bash, zsh or fish`);
}

function walk(command: Command, path: readonly string[]): Node[] {
  const visible = command.commands.filter((child) => child.name() !== "help");
  const own: Node = {
    path,
    commands: visible.map((child) => ({ name: child.name(), summary: summaryOf(child) })),
    options: [
      ...command.options.flatMap(({ long, description }) => (long ? [{ flag: long, summary: description }] : [])),
      { flag: "--help", summary: "show help" },
    ],
  };
  return [own, ...visible.flatMap((child) => walk(child, [...path, child.name()]))];
}

const summaryOf = (command: Command): string => (command.summary() || command.description()).split("\n", 1)[0] ?? "";

function bash(nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, commands, options }) => {
    const words = [...commands.map(({ name }) => name), ...options.map(({ flag }) => flag)].join(" ");
    return `    "${path.join(" ")}") words="${words}" ;;`;
  });
  const depths = nodes.filter(({ path }) => path.length > 0).map(({ path }) => `"${path.join(" ")}"`);
  return `# Marquee: eval "$(./marquee completion bash)"
_marquee() {
  local words="" path="" next word="\${COMP_WORDS[COMP_CWORD]}"
  for next in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$next" in
      ${depths.join("|")}) path="\${path:+$path }$next" ;;
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _marquee marquee ./marquee
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, commands, options }) => {
    const names = commands.map(({ name }) => name).join(" ");
    const seen = path.map((name) => `__fish_seen_subcommand_from ${name}`);
    const deeper = names === "" ? [] : [`not __fish_seen_subcommand_from ${names}`];
    const condition = [...seen, ...deeper].join("; and ");
    const when = condition === "" ? "" : ` -n '${condition}'`;
    return [
      ...commands.map(({ name, summary }) => `complete -c marquee${when} -f -a ${name} -d '${quote(summary)}'`),
      ...options.map(
        ({ flag, summary }) => `complete -c marquee${when} -l ${flag.replace(/^--/, "")} -d '${quote(summary)}'`,
      ),
    ];
  });
  return `# Marquee: ./marquee completion fish | source\n${lines.join("\n")}\n`;
}

const quote = (text: string): string => text.replace(/['\\]/g, "\\$&").replace(/\s+/g, " ");
