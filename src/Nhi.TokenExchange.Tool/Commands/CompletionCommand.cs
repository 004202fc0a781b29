using System.CommandLine;

namespace Nhi.TokenExchange;

/// <summary><c>nhi completion</c>: what a shell needs to complete command lines of <c>nhi</c>, by asking <c>nhi</c> itself.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _nhi() { local IFS=$'\n'; COMPREPLY=( $(compgen -W "$(nhi "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}") ); }
        complete -o default -F _nhi nhi
        """;

    private const string Zsh = """
        _nhi() { local -a found; found=("${(@f)$(nhi "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}"); compadd -a found; }
        compdef _nhi nhi
        """;

    private const string Fish = """
        complete -c nhi -f -a '(nhi "[suggest:"(commandline -C)"]" (commandline) 2>/dev/null)'
        """;

    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName nhi -ScriptBlock { param($word, $line, $at) nhi "[suggest:$at]" "$line" | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) } }
        """;

    public static Command Make(Screen screen)
    {
        Argument<string> shell = new Argument<string>("shell") { Description = "bash, zsh, fish or pwsh." }.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        var command = new Command("completion", """
            Writes what lets a shell complete command lines of nhi.

            Examples:
              source <(nhi completion bash)
              nhi completion pwsh | Out-String | Invoke-Expression
            """) { shell };
        command.SetAction(async (line, _) =>
        {
            await screen.Output.WriteLineAsync(line.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, "fish" => Fish, _ => PowerShell }).ConfigureAwait(false);
            return ExitCodes.Ok;
        });
        return command;
    }
}
