namespace Nhi.TokenExchange;

/// <summary>One promise and what this run says about it.</summary>
/// <param name="Number">Its number in the list of goals; letters where one number has several parts.</param>
/// <param name="What">What is measured.</param>
/// <param name="Target">The promise.</param>
/// <param name="Measured">A ratio or a count of this run.</param>
/// <param name="Bytes">Bytes allocated per call, or held per key; empty where they are not the point.</param>
/// <param name="Met">Null: published without a promise.</param>
public sealed record Goal(string Number, string What, string Target, string Measured, string Bytes, bool? Met)
{
    public string Verdict => Met switch { true => "met", false => "**not met**", null => "no goal" };
}
