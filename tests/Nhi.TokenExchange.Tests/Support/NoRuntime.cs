/// <summary>Tests say themselves where their jobs run: what the machine that runs the tests says of its own job is put away, from child processes too.</summary>
[SetUpFixture]
internal sealed class NoRuntime
{
    [OneTimeSetUp]
    public void ForgetWhereTheTestsRun()
    {
        foreach (string mark in (string[])["GITHUB_ACTIONS", "GITLAB_CI", "SYSTEM_HOSTTYPE", "KUBERNETES_SERVICE_HOST"])
            Environment.SetEnvironmentVariable(mark, null);
    }
}
