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
        return $"{name}: {Said(line)} '{name} --help' lists what there is.";
    }

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
