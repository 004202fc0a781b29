namespace Nhi.TokenExchange.Tests;

[NonParallelizable, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ArcKeyFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nhi").FullName + Path.DirectorySeparatorChar;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(string name, int bytes)
    {
        string path = _folder + name;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, new byte[bytes]);
        return path;
    }

    [TestCase(1)]
    [TestCase(4096)]
    public void The_agents_own_file_is_taken(int bytes) => Assert.That(ArcKeyFile.FlawOf(Write("a.key", bytes), _folder), Is.Null);

    [Test]
    public void What_is_wrong_with_a_file_is_told_each_in_its_own_words()
    {
        string sub = Write($"sub{Path.DirectorySeparatorChar}a.key", 1), other = Write("a.txt", 1), large = Write("b.key", 4097);

        Assert.That(ArcKeyFile.FlawOf(null, _folder), Does.StartWith("names none"));
        Assert.That(ArcKeyFile.FlawOf("", _folder), Does.StartWith("names none"));
        Assert.That(ArcKeyFile.FlawOf("/etc/passwd.key", _folder), Is.EqualTo("the path that it names is not in the agent's folder"));
        Assert.That(ArcKeyFile.FlawOf(_folder + "../a.key", _folder), Is.EqualTo("the path that it names has '..' in it"));
        Assert.That(ArcKeyFile.FlawOf(sub, _folder), Is.EqualTo("the path that it names is in a sub-folder of the agent's"));
        Assert.That(ArcKeyFile.FlawOf(other, _folder), Is.EqualTo("the file that it names does not end in .key"));
        Assert.That(ArcKeyFile.FlawOf(_folder + ".key", _folder), Is.EqualTo("the file that it names does not end in .key"));
        Assert.That(ArcKeyFile.FlawOf(_folder + "none.key", _folder), Does.StartWith("the file that it names is not there"));
        Assert.That(ArcKeyFile.FlawOf(large, _folder), Is.EqualTo("the file that it names has 4097 bytes; at most 4096 are read"));
    }

    [TestCase("Basic realm=/etc/passwd.key", "is not in the agent's folder")]
    [TestCase("Basic realm=/var/opt/azcmagent/tokens/../passwd.key", "has '..' in it")]
    [TestCase("Basic realm=/var/opt/azcmagent/tokens/passwd/a.key", "is in a sub-folder")]
    [TestCase("Basic realm=/var/opt/azcmagent/tokens/passwd.txt", "does not end in .key")]
    [TestCase("Basic realm=/var/opt/azcmagent/tokens/passwd-none.key", "is not there")]
    [TestCase("Basic", "names none")]
    [TestCase("Bearer x=/passwd", "names none")]
    [TestCase(null, "names none")]
    [Platform(Include = "Linux", Reason = "The agent's folder of Linux.")]
    public void A_challenge_that_can_not_be_met_is_told_with_group_and_folder_and_without_its_path(string? challenge, string said)
    {
        using var host = HostVariables.Arc();
        var wire = new Wire(Wire.Json("{}", 401, challenge is null ? [] : [("WWW-Authenticate", challenge)]));
        var request = new SubjectTokenRequest { Audience = new Audience("api://AzureADTokenExchange"), Backchannel = new Wire().Backchannel, Time = new SkippingTime() };

        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => new ManagedIdentitySource(AzureManagedIdentityId.SystemAssigned, wire).GetSubjectTokenAsync(request, default).AsTask())!;

        Assert.That((refused.Code, refused.IsTransient, wire.Requests.Count), Is.EqualTo((ErrorCodes.ProofUnavailable, false, 1)));
        Assert.That(refused.Message, Does.Contain("Azure Arc wants to see a key file, but").And.Contain(said).And.Not.Contain("passwd"));
        Assert.That(refused.Hint, Does.Contain("group himds").And.Contain("/var/opt/azcmagent/tokens/"));
    }
}
