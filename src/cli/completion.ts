import { Argument, type Command, type Option } from "commander";

import { type Terminal, withExamples } from "./command.ts";

/**
 * `completion SHELL` prints a script that completes commands, options and their values. The script asks the hidden
 * command `__complete`, which answers from the definitions of the commands themselves, so the two cannot differ, also
 * after an update.
 */

const COMPLETE = "__complete";

/** Each script passes the words after `fieldgate`, up to and including the one at the cursor. */
const SCRIPTS = {
  bash: `_fieldgate() {
  local word=\${COMP_WORDS[COMP_CWORD]} IFS=$'\\n'
  [[ $word == "=" ]] && word=
  COMPREPLY=($(compgen -W "$(fieldgate ${COMPLETE} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1)" -- "$word"))
}
complete -o bashdefault -o default -F _fieldgate fieldgate`,
  zsh: `#compdef fieldgate
_fieldgate() {
  local -a found
  found=("\${(@f)$(fieldgate ${COMPLETE} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -z $found ]]; then
    _files
  else
    found=("\${(@)found//:/\\\\:}")
    found=("\${(@)found/$'\\t'/:}")
    _describe fieldgate found
  fi
}
compdef _fieldgate fieldgate`,
  fish: `function __fieldgate_complete
  set -l words (commandline --tokenize --cut-at-cursor --current-process) (commandline --current-token --cut-at-cursor)
  set -l found (fieldgate ${COMPLETE} -- $words[2..-1] 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline --current-token --cut-at-cursor)
  end
end
complete --command fieldgate --no-files --arguments '(__fieldgate_complete)'`,
} as const;

type Shell = keyof typeof SCRIPTS;

const isShell = (name: string): name is Shell => Object.hasOwn(SCRIPTS, name);

export function addCompletion(program: Command, terminal: Terminal): void {
  const command = program
    .command("completion")
    .description("print a script that completes commands, options and their values in your shell")
    .addArgument(new Argument("<shell>", "your shell").choices(Object.keys(SCRIPTS)))
    .action((shell: string) => {
      if (isShell(shell)) terminal.out(SCRIPTS[shell]);
    });
  withExamples(
    command,
    "source <(fieldgate completion bash)    # in ~/.bashrc",
    "source <(fieldgate completion zsh)     # in ~/.zshrc, after compinit",
    "fieldgate completion fish | source     # in ~/.config/fish/config.fish",
  );
  program
    .command(COMPLETE, { hidden: true })
    .argument("[words...]")
    .action((words: readonly string[]) => {
      const lines = completionsOf(program, words).map(({ word, description }) => `${word}\t${description}`);
      if (lines.length > 0) terminal.out(lines.join("\n"));
    });
}

export interface Completion {
  readonly word: string;
  readonly description: string;
}

/**
 * What may stand in the place of the last of these words. Nothing if it is free text or a file, which the shell completes
 * itself.
 */
export function completionsOf(program: Command, given: readonly string[]): readonly Completion[] {
  // bash passes `--format=json` as three words.
  const words = given.at(-1) === "=" ? [...given, ""] : given;
  const [last = "", ...before] = words.filter((word) => word !== "=").toReversed();
  const { command, open } = readWords(program, before.toReversed());
  const begins = ({ word }: Completion) => word.startsWith(last);
  if (open !== undefined) return valuesOf(open).filter(begins);
  const [, name, value] = /^(--[\w-]+)=(.*)$/.exec(last) ?? [];
  if (name !== undefined && value !== undefined) {
    const option = findOption(command, name);
    const values = option === undefined ? [] : valuesOf(option);
    return values.map(({ word, description }) => ({ word: `${name}=${word}`, description })).filter(begins);
  }
  if (last.startsWith("-")) return optionsOf(command).filter(begins);
  return [...subcommandsOf(command), ...command.registeredArguments.flatMap(valuesOf)].filter(begins);
}

interface Read {
  /** The command that the words name. */
  readonly command: Command;
  /** The option that the next word is the value of. */
  readonly open: Option | undefined;
}

function readWords(program: Command, words: readonly string[]): Read {
  return words.reduce<Read>(
    ({ command, open }, word) => {
      if (open !== undefined) return { command, open: undefined };
      if (word.startsWith("-")) {
        const option = findOption(command, word);
        return { command, open: option?.required === true ? option : undefined };
      }
      return { command: command.commands.find((one) => one.name() === word) ?? command, open };
    },
    { command: program, open: undefined },
  );
}

function findOption(command: Command, flag: string): Option | undefined {
  return visibleOptions(command).find(({ long, short }) => long === flag || short === flag);
}

function visibleOptions(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

function valuesOf({ argChoices, description }: Pick<Option, "argChoices" | "description">): readonly Completion[] {
  return (argChoices ?? []).map((word) => ({ word, description }));
}

function optionsOf(command: Command): readonly Completion[] {
  return visibleOptions(command).flatMap(({ long, description }) =>
    typeof long === "string" ? [{ word: long, description }] : [],
  );
}

function subcommandsOf(command: Command): readonly Completion[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ word: one.name(), description: one.description() }));
}
