namespace Nhi.TokenExchange;

/// <summary>A report's numbers can't be used here: it is not there, of an older form, or of another program or machine.</summary>
public sealed class RefusedReportException : Exception
{
    public RefusedReportException()
    {
    }

    public RefusedReportException(string message)
        : base(message)
    {
    }

    public RefusedReportException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
