using System.Diagnostics;
using System.Globalization;
using NUnit.Framework.Interfaces;

namespace Nhi.TokenExchange.Mutation;

/// <summary>A process that tries one mutant after the other: reads <c>mutant test test …</c>, a line each, and says which test noticed it, or nothing.</summary>
internal static class Worker
{
    /// <summary>The process is no more what it was: what noticed the mutant fails without it, too.</summary>
    public const string Spoilt = "?";

    /// <summary>The variable that names a mutant which is there from the process's start.</summary>
    public const string FromStart = "NHI_MUTANT";

    // A test that hangs can't be ended, but by its process.
    private static readonly TimeSpan LongestTest = TimeSpan.FromSeconds(5);
    private static readonly ManualResetEvent AtWork = new(false);
    private static readonly AutoResetEvent Heard = new(false);

    public static void Run()
    {
        new Thread(Watch) { IsBackground = true, Priority = ThreadPriority.AboveNormal }.Start();
        TextReader orders = Console.In;
        TextWriter answers = Console.Out;
        Console.SetOut(TextWriter.Null);
        string? fromStart = Environment.GetEnvironmentVariable(FromStart);
        MutatedCore.Activate(fromStart is null ? MutatedCore.None : int.Parse(fromStart, CultureInfo.InvariantCulture));
        var tests = new Tests();
        answers.WriteLine("ready");
        while (orders.ReadLine() is { } order)
        {
            string[] parts = order.Split(' ');
            MutatedCore.Activate(int.Parse(parts[0], CultureInfo.InvariantCulture));
            string? noticed = Noticed(tests, parts[1..]);
            MutatedCore.Activate(MutatedCore.None);
            if (noticed is not null && fromStart is null && Noticed(tests, [noticed]) is not null)
                noticed = Spoilt;
            answers.WriteLine(noticed);
        }
    }

    private static string? Noticed(Tests tests, IEnumerable<string> ids)
    {
        string? noticed = null;
        AtWork.Set();
        tests.Run(ids, result =>
        {
            Heard.Set();
            if (result.ResultState.Status == TestStatus.Failed)
                noticed ??= result.Test.Id;
            return noticed is not null;
        });
        AtWork.Reset();
        Heard.Set();
        return noticed;
    }

    // On a thread of its own: a mutant may hold each thread of the pool, and with it each timer.
    private static void Watch()
    {
        do
            AtWork.WaitOne();
        while (Heard.WaitOne(LongestTest));
        Process.GetCurrentProcess().Kill();
    }
}
