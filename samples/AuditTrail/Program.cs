// What an auditor runs: dotnet run --project samples/AuditTrail -- FOLDER [ANCHOR ...]
// Reads the audit files of a folder, says whether they hold, and answers the questions of docs/controls.md. Changes nothing.
using Auditor;
using Nhi.TokenExchange;

// As sysexits.h has them.
const int Usage = 64;
const int NoInput = 66;

if (args is not [string folder, .. string[] anchors])
{
    await Console.Error.WriteLineAsync("AuditTrail FOLDER [ANCHOR ...]");
    return Usage;
}

try
{
    #region verify
    var summary = new AuditSummary();
    AuditTrail trail = AuditTrail.Verify(folder, anchors, summary.Add);
    Console.WriteLine(trail);   // the verdict, each chain, and of each the first line that does not hold
    #endregion

    Questions.AskAll(folder, summary);
    return trail.IsWhole ? 0 : trail.IsIntact ? 2 : 1;   // intact alone is true of an empty folder, too
}
catch (ArgumentException anchor)
{
    await Console.Error.WriteLineAsync(anchor.Message);
    return Usage;
}
catch (TokenExchangeException unreadable)
{
    await Console.Error.WriteLineAsync(unreadable.Message);
    return NoInput;
}
