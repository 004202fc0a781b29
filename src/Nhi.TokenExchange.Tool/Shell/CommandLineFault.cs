using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange;

/// <summary>Says in one line what is wrong with a command line: what there is none of and what is meant, what is missing, or which value has another form.</summary>
internal static partial class CommandLineFault
{
    public static string Of(ParseResult line)
    {
        string name = NameOf(line.CommandResult);
        return $"{name}: {Said(line)}{(line.CommandResult.Command.Name == ExecCommand.Name ? ExecHint(line) : "")} '{name} --help' lists what there is.";
    }

    /// <summary>To the parser a word that is no option of <c>nhi exec</c> is the program's, wherever it stands: says which stand before <c>--</c>, or in the program's place, and are none.</summary>
    /// <param name="line">The command line.</param>
    /// <param name="words">The program and its arguments, as it was parsed.</param>
    /// <returns>What is wrong; null: nothing is.</returns>
    public static string? BeforeProgram(ParseResult line, string[] words)
    {
        int behind = line.Tokens.SkipWhile(token => token.Type != TokenType.DoubleDash).Skip(1).Count();
        bool isSeparate = line.Tokens.Any(token => token.Type == TokenType.DoubleDash);
        return (isSeparate ? words.Length > behind : words[0].StartsWith('-'))
            ? $"{NameOf(line.CommandResult)}: {Unknown(words[0], line.CommandResult.Command)}{ExecHint(line)}"
            : null;
    }

    private static string ExecHint(ParseResult line) => line.Tokens.Any(token => token.Type == TokenType.DoubleDash) ? "" : " The program and its arguments stand behind --.";

    private static string NameOf(CommandResult command) => command.Parent is CommandResult parent ? $"{NameOf(parent)} {command.Command.Name}" : "nhi";

    private static string Said(ParseResult line)
    {
        Command command = line.CommandResult.Command;
        if (line.UnmatchedTokens is [var unknown, ..])
            return Unknown(unknown, command);
        if (command.Subcommands.Count > 0)
        {
            string[] names = [.. command.Subcommands.Select(one => one.Name)];
            return $"a command is missing: {string.Join(", ", names[..^1])} or {names[^1]}.";
        }
        return string.Join(' ', line.Errors.Select(Said).Distinct());
    }

    private static string Unknown(string word, Command command)
    {
        // What was pasted by mistake is not repeated.
        if (SecretSmell.FormOf(word) is not null)
            return "there is something that is no argument, and looks like a secret.";
        IEnumerable<string> known = word.StartsWith('-') ? command.Options.Select(option => option.Name) : command.Subcommands.Select(one => one.Name);
        return $"there is no '{ExceptionText.Clean(word, 100)}'.{(UnknownSetting.Nearest(word, known) is { } nearest ? $" Did you mean {nearest}?" : "")}";
    }

    private static string Said(ParseError error) => error.SymbolResult switch
    {
        OptionResult { IdentifierToken: not null, Tokens.Count: 0 } option => $"{option.Option.Name}: its value is missing.",
        ArgumentResult { Tokens.Count: 0 } argument => $"{argument.Argument.Name} is missing.",
        _ => Breaks().Replace(error.Message, " "),
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Breaks();
}
