using System.Globalization;
using Nhi.TokenExchange;

namespace QuickStart;

/// <summary>Tells what happens, step by step, and stops at the first step that does not do what it says.</summary>
internal sealed class Story
{
    private string _step = "start";
    private int _number;

    /// <returns>The exit code: 0 only if every step did what it says.</returns>
    public static async Task<int> TellAsync(Func<Story, Task> tale)
    {
        var story = new Story();
        try
        {
            await tale(story);
            Console.WriteLine();
            Console.WriteLine("Every step did what it says.");
            return 0;
        }
        catch (Exception failure)
        {
            await Console.Error.WriteLineAsync($"Step '{story._step}' failed: {failure.Message}");
            return 1;
        }
    }

    public void Step(string name, string what)
    {
        _step = name;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{++_number} {name}: {what}"));
    }

    public void Say(string what)
    {
        foreach (string line in what.Split(Environment.NewLine))
            Console.WriteLine($"    {line}");
    }

    public void Expect(bool holds, string what)
    {
        if (!holds)
            throw new InvalidOperationException($"expected that {what}");
    }

    public async Task<TokenExchangeException> ThrowsAsync(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (TokenExchangeException expected)
        {
            return expected;
        }
        throw new InvalidOperationException("expected a refusal, and there was none");
    }
}
