using Spectre.Console;

namespace Nhi.TokenExchange;

/// <summary>Where the tool writes: what was asked for to the standard output, everything else to the standard error.</summary>
/// <remarks>Colours only on a terminal, and none where <c>NO_COLOR</c> is set. Lines are folded on a terminal alone: what a program reads is not.</remarks>
internal sealed class Screen
{
    // Of output that goes to a program: nothing is folded.
    private const int Unfolded = 8000;

    public Screen(TextWriter output, TextWriter error, bool isTerminal)
    {
        Output = output;
        Error = error;
        IsTerminal = isTerminal;
        Console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        if (!isTerminal)
            Console.Profile.Width = Unfolded;
    }

    public TextWriter Output { get; }

    public TextWriter Error { get; }

    /// <summary>Whether somebody looks at the standard output.</summary>
    public bool IsTerminal { get; }

    /// <summary>The standard output, for tables and colours.</summary>
    public IAnsiConsole Console { get; }

    public static Screen OfProcess() => new(System.Console.Out, System.Console.Error, isTerminal: !System.Console.IsOutputRedirected);

    /// <summary>Runs work that may take long. Who looks at a terminal is told what is being done.</summary>
    /// <param name="what">What is being done.</param>
    /// <param name="work">Does it; may say what it is at.</param>
    public async Task<T> WhileAsync<T>(string what, Func<Action<string>, Task<T>> work)
    {
        if (!IsTerminal)
            return await work(_ => { }).ConfigureAwait(false);
        return await Console.Status().StartAsync(Markup.Escape(what), status => work(now => status.Status(Markup.Escape(now)))).ConfigureAwait(false);
    }
}
