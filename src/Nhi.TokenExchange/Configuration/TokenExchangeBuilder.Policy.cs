using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

// What decides.
public sealed partial class TokenExchangeBuilder
{
    private const string PolicySetting = "Policy:File";

    private IAccessPolicy? _policy;
    private string? _policyFile;

    /// <summary>Sets the policy. Default: everything that is declared is permitted, and audited as such.</summary>
    /// <param name="policy">Decides at issue and at each refresh: a <see cref="PolicyDocument"/>, or one of your own.</param>
    public TokenExchangeBuilder Policy(IAccessPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        _policy = policy;
        return this;
    }

    /// <summary>
    /// Names the file of the policy, a <see cref="PolicyDocument"/>. It must be there and compile when the session starts (NHI1006). From then on it is followed: a version with a greater revision is in force as soon as it is seen, ends what
    /// the one before granted, and decides anew; one that is older, is wrong or can't be read changes nothing, and log and health say so.
    /// </summary>
    /// <param name="path">Absolute, or beside the program. Who may write it decides what the job may do: others must not be able to. Replace it as a whole, by renaming another over it.</param>
    public TokenExchangeBuilder PolicyFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _policyFile = Whole("PolicyFile", Path.IsPathFullyQualified(path) ? path : Path.Join(AppContext.BaseDirectory, path), "is not the path of a file");
        return this;
    }

    /// <summary>The document in the file that is named; null if none is, or it is wrong, which is noted.</summary>
    private PolicyDocument? ReadPolicyFile(string? inSection)
    {
        string setting = _policyFile is not null || _section is null ? "PolicyFile" : $"{_section.Path}:{PolicySetting}";
        if (_policyFile is not null && inSection is not null)
            _errors.Add($"{_section!.Path}:{PolicySetting}", "names a policy, and so does code", "Name one.");
        _policyFile ??= inSection;
        if (_policyFile is null)
            return null;
        if (_policy is not null)
            _errors.Add(setting, "names a policy, while code gives another", "Give one: the file, or builder.Policy(…), which a container calls with the IAccessPolicy that it has.");
        if (PolicyFileReading.TryRead(_policyFile, out string unread, out string cure) is not { } bytes)
        {
            _errors.Add(setting, $"names '{ExceptionText.Clean(_policyFile, 200)}', which {unread}", cure, ErrorCodes.InvalidPolicy);
            return null;
        }
        var found = new PolicyErrors(Path.GetFileName(_policyFile));
        PolicyDocument? policy = PolicyDocument.TryParse(bytes, found);
        foreach ((string what, string remedy) in found.Told)
            _errors.Add(setting, what, remedy, ErrorCodes.InvalidPolicy);
        return policy;
    }

    private IAccessPolicy FreezePolicy(PolicyDocument? read, IAccessPolicy? remote, JobContext job, IReadOnlyList<TargetPlan> targets, ILogger logger, List<object> owned)
    {
        if ((read ?? _policy as PolicyDocument) is { } document)
            PolicyFit.Tell(document, job, targets, logger);
        if (read is null && _policy is PolicyDocument { IsObserved: true } inCode)
            logger.PolicyOnlyObserves(inCode.Name, inCode.Revision);
        if (read is null)
            return _policy ?? remote ?? new AllowAllPolicy();
        var file = new PolicyFile(_policyFile!, read, _time, logger, next => PolicyFit.Tell(next, job, targets, logger));
        owned.Add(file);
        return file;
    }
}
