using System.Reflection;

namespace Nhi.TokenExchange.Mutation;

/// <summary>The switch that Stryker put into the core, which holds all mutants at once.</summary>
internal static class MutatedCore
{
    /// <summary>No mutant at all.</summary>
    public const int None = -1;

    private static readonly Type Control = typeof(JobSession).Assembly.GetTypes().SingleOrDefault(type => type.Name == "MutantControl")
        ?? throw new InvalidOperationException("This core has no mutants: it is the one as built.");
    private static readonly FieldInfo Capture = Field("CaptureCoverage"), Active = Field("ActiveMutant"), Covered = Field("_coveredMutants"), Turn = Field("_coverageLock");
    private static readonly MethodInfo Reset = Control.GetMethod("ResetCoverage")!;

    /// <summary>Switches to one mutant.</summary>
    public static void Activate(int mutant) => Active.SetValue(null, mutant);

    /// <summary>From now on it is noted which mutants are come by.</summary>
    public static void BeginCapture() => Capture.SetValue(null, true);

    /// <summary>Those that were come by since it was asked last.</summary>
    public static int[] TakeReached()
    {
        lock (Turn.GetValue(null)!)   // background work of the product may add to it meanwhile
        {
            var all = (List<int>)Covered.GetValue(null)!;
            Reset.Invoke(null, null);
            return [.. all];
        }
    }

    private static FieldInfo Field(string name) => Control.GetField(name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!;
}
