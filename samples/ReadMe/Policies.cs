using Nhi.TokenExchange;

namespace ReadMe;

/// <summary>What a test project does with a policy and its cases.</summary>
internal static class Policies
{
    public static void Test()
    {
        #region policy-tests
        PolicyDocument policy = PolicyDocument.Parse(File.ReadAllBytes("nhi.policy.json"), "nhi.policy.json");
        foreach (PolicyTestResult result in PolicyTests.Run(policy, File.ReadAllBytes("nhi.policy.tests.json")))
            Console.WriteLine(result);   // a pull request (line 9): decision expected 'permit', was 'deny'; denied because …
        #endregion
    }
}
