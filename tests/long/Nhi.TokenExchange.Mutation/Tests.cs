using System.Reflection;
using NUnit.Framework.Api;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace Nhi.TokenExchange.Mutation;

/// <summary>The tests of the core, one after the other, as often as wanted.</summary>
internal sealed class Tests
{
    // They take long, start processes, measure memory, or look at the repository.
    private const string LeftOut = """
        <filter><not><or><class re="1">(Stress|Model|Mutation|Killed\w*|Footprint|Load|Corpus|ReadingTime|Culture|Convention|Readme|JobEnd|Smell|Schema|BadSettings|FaultCatalogue|HangingLog|DeadlockFault|StampedeFault)Tests|\.(I01|I02|I15|I16|I18)_</class><namespace re="1">\.(Conventions|Fuzzing|Docs)$</namespace></or></not></filter>
        """;

    private readonly NUnitTestAssemblyRunner _runner = new(new DefaultTestAssemblyBuilder());

    /// <exception cref="InvalidOperationException">There are none.</exception>
    public Tests()
    {
        if (_runner.Load(Assembly.Load("Nhi.TokenExchange.Tests"), new Dictionary<string, object> { ["NumberOfTestWorkers"] = 0 }).TestCaseCount == 0)
            throw new InvalidOperationException("There is no test.");
    }

    /// <summary>Runs them all, but for those that are left out of mutation.</summary>
    /// <param name="ended">Told of each.</param>
    public void RunAll(Action<ITestResult> ended) => Run(LeftOut, ended);

    /// <summary>Runs some.</summary>
    /// <param name="ids">Which.</param>
    /// <param name="ended">Told of each; true: that is enough.</param>
    public void Run(IEnumerable<string> ids, Func<ITestResult, bool> ended) => Run($"<filter><or>{string.Concat(ids.Select(id => $"<id>{id}</id>"))}</or></filter>", result =>
    {
        if (ended(result))
            _runner.StopRun(force: false);
    });

    private void Run(string filter, Action<ITestResult> ended) => _runner.Run(new Listener(ended), TestFilter.FromXml(filter));

    private sealed class Listener(Action<ITestResult> ended) : ITestListener
    {
        public void TestStarted(ITest test)
        {
        }

        public void TestFinished(ITestResult result)
        {
            if (!result.Test.IsSuite)
                ended(result);
        }

        public void TestOutput(TestOutput output)
        {
        }

        public void SendMessage(TestMessage message)
        {
        }
    }
}
