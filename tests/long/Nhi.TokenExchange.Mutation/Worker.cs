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
    private static long _lastHeard = long.MaxValue;

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
        Volatile.Write(ref _lastHeard, Environment.TickCount64);
        tests.Run(ids, result =>
        {
            Volatile.Write(ref _lastHeard, Environment.TickCount64);
            if (result.ResultState.Status == TestStatus.Failed)
                noticed ??= result.Test.Id;
            return noticed is not null;
        });
        Volatile.Write(ref _lastHeard, long.MaxValue);
        return noticed;
    }

    // A thread of its own that looks from time to time: a mutant may hold each thread of the pool, and with it each timer.
    private static void Watch()
    {
        while (Environment.TickCount64 - Volatile.Read(ref _lastHeard) < LongestTest.TotalMilliseconds)
            Thread.Sleep(100);
        Process.GetCurrentProcess().Kill();
    }
}
