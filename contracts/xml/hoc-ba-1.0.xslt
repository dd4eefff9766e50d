<?xml version="1.0" encoding="UTF-8"?>
<!-- Shows a transcript (hoc-ba-1.0.xsd) as an accessible HTML page. XSLT 1.0, no extension, no script, nothing fetched. It lists the signatures; it does not verify them. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:h="urn:hocba:transcript:1" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" exclude-result-prefixes="h ds xades">
  <xsl:output method="html" encoding="UTF-8" indent="yes" doctype-system="about:legacy-compat"/>

  <xsl:template match="/h:HocBa">
    <xsl:variable name="body" select="h:NoiDung"/>
    <xsl:variable name="level">
      <xsl:choose>
        <xsl:when test="$body/h:ThongTinHocBa/h:CapHoc = 'TH'">tiểu học</xsl:when>
        <xsl:when test="$body/h:ThongTinHocBa/h:CapHoc = 'THCS'">trung học cơ sở</xsl:when>
        <xsl:otherwise>trung học phổ thông</xsl:otherwise>
      </xsl:choose>
    </xsl:variable>
    <html lang="vi">
      <head>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <title>Học bạ <xsl:value-of select="$level"/> - <xsl:value-of select="$body/h:HocSinh/h:HoTen"/> - Năm học <xsl:value-of select="$body/h:ThongTinHocBa/h:NamHoc"/></title>
        <style>
          body { font-family: Tinos, "Times New Roman", serif; font-size: 1.1rem; line-height: 1.45; color: #111; background: #fff; max-width: 52rem; margin: 0 auto; padding: 1rem; }
          h1, h2 { line-height: 1.2; }
          table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1.25rem; }
          caption { text-align: left; font-weight: bold; padding: 0.25rem 0; }
          th, td { border: 1px solid #444; padding: 0.3rem 0.5rem; text-align: left; vertical-align: top; }
          thead th { background: #eee; }
          dl { display: grid; grid-template-columns: minmax(10rem, 16rem) 1fr; gap: 0.25rem 1rem; }
          dt { font-weight: bold; }
          dd { margin: 0; overflow-wrap: anywhere; }
          .note { border-left: 4px solid #444; padding-left: 0.75rem; }
        </style>
      </head>
      <body>
        <main>
          <h1>Học bạ <xsl:value-of select="$level"/></h1>
          <xsl:if test="$body/h:SoHoa"><p class="note"><strong>Số hóa từ học bạ giấy</strong></p></xsl:if>
          <xsl:apply-templates select="$body/h:ThongTinHocBa"/>
          <xsl:apply-templates select="$body/h:HocSinh"/>
          <xsl:apply-templates select="$body/h:KetQua/*"/>
          <xsl:apply-templates select="$body/h:NguoiKy"/>
          <xsl:apply-templates select="$body/h:SoHoa"/>
          <xsl:apply-templates select="h:ChuKy"/>
        </main>
      </body>
    </html>
  </xsl:template>

  <!-- One term and its value; nothing at all when there is no value. -->
  <xsl:template name="item">
    <xsl:param name="label"/>
    <xsl:param name="value"/>
    <xsl:if test="string($value) != ''">
      <dt><xsl:value-of select="$label"/></dt>
      <dd><xsl:value-of select="$value"/></dd>
    </xsl:if>
  </xsl:template>

  <xsl:template name="date">
    <xsl:param name="value"/>
    <xsl:if test="string($value) != ''">
      <xsl:value-of select="concat(substring($value, 9, 2), '/', substring($value, 6, 2), '/', substring($value, 1, 4))"/>
    </xsl:if>
  </xsl:template>

  <xsl:template name="moment">
    <xsl:param name="value"/>
    <xsl:if test="string($value) != ''">
      <xsl:value-of select="concat(substring($value, 9, 2), '/', substring($value, 6, 2), '/', substring($value, 1, 4), ' ', substring($value, 12, 8), ' ', substring($value, 20))"/>
    </xsl:if>
  </xsl:template>

  <!-- Who somebody is, for those who compare a certificate with the person. -->
  <xsl:template name="person">
    <xsl:value-of select="h:HoTen"/>
    <xsl:if test="h:MaCanBo">, mã cán bộ <xsl:value-of select="h:MaCanBo"/></xsl:if>
    <xsl:if test="h:SoDinhDanhCaNhan">, số định danh cá nhân <xsl:value-of select="h:SoDinhDanhCaNhan"/></xsl:if>
  </xsl:template>

  <xsl:template name="yes-no">
    <xsl:param name="value"/>
    <xsl:choose>
      <xsl:when test="$value = 'true' or $value = '1'">Có</xsl:when>
      <xsl:otherwise>Không</xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template match="h:ThongTinHocBa">
    <xsl:variable name="made"><xsl:call-template name="moment"><xsl:with-param name="value" select="h:NgayTao"/></xsl:call-template></xsl:variable>
    <dl>
      <xsl:call-template name="item"><xsl:with-param name="label">Mã định danh học bạ</xsl:with-param><xsl:with-param name="value" select="h:MaHocBa"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Phiên bản</xsl:with-param><xsl:with-param name="value" select="h:PhienBan"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Thay thế học bạ</xsl:with-param><xsl:with-param name="value" select="h:ThayThe"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Thời điểm lập</xsl:with-param><xsl:with-param name="value" select="$made"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Trường</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:TenTruong"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Mã trường</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:MaTruong"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Loại hình</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:LoaiHinh"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Mã số thuế</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:MaSoThue"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Xã (Phường, Đặc khu)</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:XaPhuong"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Tỉnh (Thành phố)</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:TinhThanhPho"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Đơn vị quản lý</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:DonViQuanLy/h:TenDonVi"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Mã đơn vị quản lý</xsl:with-param><xsl:with-param name="value" select="../h:Truong/h:DonViQuanLy/h:MaDonVi"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Năm học</xsl:with-param><xsl:with-param name="value" select="h:NamHoc"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Lớp</xsl:with-param><xsl:with-param name="value" select="../h:Lop/h:TenLop"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Mã lớp</xsl:with-param><xsl:with-param name="value" select="../h:Lop/h:MaLop"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Khối</xsl:with-param><xsl:with-param name="value" select="../h:Lop/h:Khoi"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Địa chỉ tra cứu</xsl:with-param><xsl:with-param name="value" select="h:DiaChiXacMinh"/></xsl:call-template>
      <xsl:for-each select="h:HocBaNamTruoc">
        <dt>Học bạ năm học <xsl:value-of select="h:NamHoc"/></dt>
        <dd><xsl:value-of select="h:MaHocBa"/><br/>SHA-256 của tệp PDF: <xsl:value-of select="h:BamPdf"/><br/>SHA-256 của tệp XML: <xsl:value-of select="h:BamXml"/></dd>
      </xsl:for-each>
    </dl>
  </xsl:template>

  <xsl:template match="h:HocSinh">
    <xsl:variable name="born"><xsl:call-template name="date"><xsl:with-param name="value" select="h:NgaySinh"/></xsl:call-template></xsl:variable>
    <xsl:variable name="enrolled"><xsl:call-template name="date"><xsl:with-param name="value" select="h:NgayNhapHoc"/></xsl:call-template></xsl:variable>
    <h2>Học sinh</h2>
    <dl>
      <xsl:call-template name="item"><xsl:with-param name="label">Mã học sinh</xsl:with-param><xsl:with-param name="value" select="h:MaHocSinh"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Họ và tên</xsl:with-param><xsl:with-param name="value" select="h:HoTen"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Giới tính</xsl:with-param><xsl:with-param name="value" select="h:GioiTinh"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Ngày, tháng, năm sinh</xsl:with-param><xsl:with-param name="value" select="$born"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Dân tộc</xsl:with-param><xsl:with-param name="value" select="h:DanToc"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Quốc tịch</xsl:with-param><xsl:with-param name="value" select="h:QuocTich"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Nơi sinh</xsl:with-param><xsl:with-param name="value" select="h:NoiSinh"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Quê quán</xsl:with-param><xsl:with-param name="value" select="h:QueQuan"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Nơi ở hiện nay</xsl:with-param><xsl:with-param name="value" select="h:NoiOHienNay"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Số định danh cá nhân</xsl:with-param><xsl:with-param name="value" select="h:SoDinhDanhCaNhan"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Họ và tên cha</xsl:with-param><xsl:with-param name="value" select="h:Cha/h:HoTen"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Nghề nghiệp của cha</xsl:with-param><xsl:with-param name="value" select="h:Cha/h:NgheNghiep"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Họ và tên mẹ</xsl:with-param><xsl:with-param name="value" select="h:Me/h:HoTen"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Nghề nghiệp của mẹ</xsl:with-param><xsl:with-param name="value" select="h:Me/h:NgheNghiep"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Người giám hộ</xsl:with-param><xsl:with-param name="value" select="h:NguoiGiamHo"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Số đăng bộ</xsl:with-param><xsl:with-param name="value" select="h:SoDangBo"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Ngày nhập học/chuyển đến</xsl:with-param><xsl:with-param name="value" select="$enrolled"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Trạng thái</xsl:with-param><xsl:with-param name="value" select="h:TrangThai"/></xsl:call-template>
    </dl>
    <xsl:if test="h:QuaTrinhHocTap">
      <table>
        <caption>Quá trình học tập trước năm học này</caption>
        <thead><tr><th scope="col">Năm học</th><th scope="col">Lớp</th><th scope="col">Tên trường</th><th scope="col">Số đăng bộ</th><th scope="col">Ngày nhập học/chuyển đến</th></tr></thead>
        <tbody>
          <xsl:for-each select="h:QuaTrinhHocTap">
            <xsl:sort select="h:NamHoc"/>
            <tr>
              <th scope="row"><xsl:value-of select="h:NamHoc"/></th><td><xsl:value-of select="h:TenLop"/></td><td><xsl:value-of select="h:TenTruong"/></td><td><xsl:value-of select="h:SoDangBo"/></td>
              <td><xsl:call-template name="date"><xsl:with-param name="value" select="h:NgayNhapHoc"/></xsl:call-template></td>
            </tr>
          </xsl:for-each>
        </tbody>
      </table>
    </xsl:if>
  </xsl:template>

  <xsl:template match="h:TieuHoc">
    <h2>Kết quả năm học</h2>
    <dl>
      <xsl:call-template name="item"><xsl:with-param name="label">Chiều cao (cm)</xsl:with-param><xsl:with-param name="value" select="translate(h:TheChat/h:ChieuCao, '.', ',')"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Cân nặng (kg)</xsl:with-param><xsl:with-param name="value" select="translate(h:TheChat/h:CanNang, '.', ',')"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Sức khoẻ</xsl:with-param><xsl:with-param name="value" select="h:TheChat/h:SucKhoe"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Số ngày nghỉ có phép</xsl:with-param><xsl:with-param name="value" select="h:NgayNghi/h:CoPhep"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Số ngày nghỉ không phép</xsl:with-param><xsl:with-param name="value" select="h:NgayNghi/h:KhongPhep"/></xsl:call-template>
    </dl>
    <table>
      <caption>1. Các môn học và hoạt động giáo dục</caption>
      <thead><tr><th scope="col">Môn học và hoạt động giáo dục</th><th scope="col">Mức đạt được</th><th scope="col">Điểm KTĐK</th><th scope="col">Nhận xét</th></tr></thead>
      <tbody>
        <xsl:for-each select="h:CacMonHoc/h:MonHoc">
          <tr><th scope="row"><xsl:value-of select="h:TenMonHoc"/></th><td><xsl:value-of select="h:MucDatDuoc"/></td><td><xsl:value-of select="h:DiemKTDK"/></td><td><xsl:value-of select="h:NhanXet"/></td></tr>
        </xsl:for-each>
      </tbody>
    </table>
    <xsl:call-template name="levels">
      <xsl:with-param name="caption">2. Những phẩm chất chủ yếu</xsl:with-param><xsl:with-param name="column">Phẩm chất</xsl:with-param>
      <xsl:with-param name="rows" select="h:PhamChat/h:PhamChatChuYeu"/><xsl:with-param name="comment" select="h:PhamChat/h:NhanXet"/>
    </xsl:call-template>
    <xsl:call-template name="levels">
      <xsl:with-param name="caption">3.1. Năng lực chung</xsl:with-param><xsl:with-param name="column">Năng lực</xsl:with-param>
      <xsl:with-param name="rows" select="h:NangLuc/h:NangLucChung"/>
    </xsl:call-template>
    <xsl:call-template name="levels">
      <xsl:with-param name="caption">3.2. Năng lực đặc thù</xsl:with-param><xsl:with-param name="column">Năng lực</xsl:with-param>
      <xsl:with-param name="rows" select="h:NangLuc/h:NangLucDacThu"/><xsl:with-param name="comment" select="h:NangLuc/h:NhanXet"/>
    </xsl:call-template>
    <p>Mức đạt được của môn học: T – Hoàn thành tốt; H – Hoàn thành; C – Chưa hoàn thành. Của phẩm chất, năng lực: T – Tốt; Đ – Đạt; C – Cần cố gắng.</p>
    <dl>
      <xsl:call-template name="item"><xsl:with-param name="label">Nhận xét của giáo viên chủ nhiệm</xsl:with-param><xsl:with-param name="value" select="h:NhanXetGiaoVienChuNhiem"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">4. Đánh giá kết quả giáo dục</xsl:with-param><xsl:with-param name="value" select="h:XepLoai"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">5. Khen thưởng</xsl:with-param><xsl:with-param name="value" select="h:KhenThuong"/></xsl:call-template>
      <dt>6. Hoàn thành chương trình lớp học</dt>
      <dd><xsl:call-template name="yes-no"><xsl:with-param name="value" select="h:HoanThanhChuongTrinhLopHoc"/></xsl:call-template></dd>
      <xsl:if test="h:HoanThanhChuongTrinhTieuHoc">
        <dt>Hoàn thành chương trình tiểu học</dt>
        <dd><xsl:call-template name="yes-no"><xsl:with-param name="value" select="h:HoanThanhChuongTrinhTieuHoc"/></xsl:call-template></dd>
      </xsl:if>
      <dt>Được lên lớp</dt>
      <dd><xsl:call-template name="yes-no"><xsl:with-param name="value" select="h:LenLop"/></xsl:call-template></dd>
    </dl>
  </xsl:template>

  <xsl:template name="levels">
    <xsl:param name="caption"/>
    <xsl:param name="column"/>
    <xsl:param name="rows"/>
    <xsl:param name="comment" select="''"/>
    <table>
      <caption><xsl:value-of select="$caption"/></caption>
      <thead><tr><th scope="col"><xsl:value-of select="$column"/></th><th scope="col">Mức đạt được</th></tr></thead>
      <tbody>
        <xsl:for-each select="$rows"><tr><th scope="row"><xsl:value-of select="h:Ten"/></th><td><xsl:value-of select="h:MucDatDuoc"/></td></tr></xsl:for-each>
      </tbody>
    </table>
    <xsl:if test="string($comment) != ''"><p>Nhận xét: <xsl:value-of select="$comment"/></p></xsl:if>
  </xsl:template>

  <xsl:template match="h:TrungHoc">
    <h2>Kết quả năm học</h2>
    <xsl:if test="h:MonHocLuaChon | h:ChuyenDeHocTap">
      <dl>
        <xsl:if test="h:MonHocLuaChon"><dt>Các môn học lựa chọn</dt></xsl:if>
        <xsl:for-each select="h:MonHocLuaChon"><dd><xsl:value-of select="."/></dd></xsl:for-each>
        <xsl:if test="h:ChuyenDeHocTap"><dt>Các chuyên đề học tập lựa chọn</dt></xsl:if>
        <xsl:for-each select="h:ChuyenDeHocTap"><dd><xsl:value-of select="."/></dd></xsl:for-each>
      </dl>
    </xsl:if>
    <table>
      <caption>Kết quả các môn học, hoạt động giáo dục</caption>
      <thead><tr><th scope="col">Môn học/Hoạt động giáo dục</th><th scope="col">Học kì I</th><th scope="col">Học kì II</th><th scope="col">Cả năm</th><th scope="col">Sau đánh giá lại</th><th scope="col">Nhận xét</th><th scope="col">Giáo viên môn học</th></tr></thead>
      <tbody>
        <xsl:for-each select="h:CacMonHoc/h:MonHoc">
          <tr>
            <th scope="row"><xsl:value-of select="h:TenMonHoc"/></th>
            <td><xsl:value-of select="translate(h:HocKiI, '.', ',')"/></td><td><xsl:value-of select="translate(h:HocKiII, '.', ',')"/></td>
            <td><xsl:value-of select="translate(h:CaNam, '.', ',')"/></td><td><xsl:value-of select="translate(h:SauDanhGiaLai, '.', ',')"/></td>
            <td><xsl:value-of select="h:NhanXet"/></td>
            <td>
              <xsl:for-each select="h:GiaoVien">
                <xsl:if test="position() &gt; 1">, </xsl:if>
                <xsl:value-of select="/h:HocBa/h:NoiDung/h:NguoiKy/h:GiaoVienBoMon[h:MaCanBo = current()/h:MaCanBo]/h:HoTen"/>
                <xsl:if test="count(h:HocKi) = 1"> (học kì <xsl:value-of select="h:HocKi"/>)</xsl:if>
              </xsl:for-each>
            </td>
          </tr>
        </xsl:for-each>
      </tbody>
    </table>
    <table>
      <caption>Kết quả học tập, kết quả rèn luyện</caption>
      <thead><tr><th scope="col">Nội dung</th><th scope="col">Học kì I</th><th scope="col">Học kì II</th><th scope="col">Cả năm</th><th scope="col">Sau đánh giá lại</th></tr></thead>
      <tbody>
        <tr><th scope="row">Kết quả học tập</th><td><xsl:value-of select="h:KetQuaHocTap/h:HocKiI"/></td><td><xsl:value-of select="h:KetQuaHocTap/h:HocKiII"/></td><td><xsl:value-of select="h:KetQuaHocTap/h:CaNam"/></td><td><xsl:value-of select="h:KetQuaHocTap/h:SauDanhGiaLai"/></td></tr>
        <tr><th scope="row">Kết quả rèn luyện</th><td><xsl:value-of select="h:KetQuaRenLuyen/h:HocKiI"/></td><td><xsl:value-of select="h:KetQuaRenLuyen/h:HocKiII"/></td><td><xsl:value-of select="h:KetQuaRenLuyen/h:CaNam"/></td><td><xsl:value-of select="h:KetQuaRenLuyen/h:SauDanhGiaLai"/></td></tr>
      </tbody>
    </table>
    <dl>
      <dt>Tổng số buổi nghỉ học cả năm</dt>
      <dd><xsl:value-of select="h:BuoiNghi/h:CoPhep + h:BuoiNghi/h:KhongPhep"/></dd>
      <xsl:call-template name="item"><xsl:with-param name="label">Số buổi nghỉ có phép</xsl:with-param><xsl:with-param name="value" select="h:BuoiNghi/h:CoPhep"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Số buổi nghỉ không phép</xsl:with-param><xsl:with-param name="value" select="h:BuoiNghi/h:KhongPhep"/></xsl:call-template>
      <dt>Được lên lớp</dt>
      <dd><xsl:call-template name="yes-no"><xsl:with-param name="value" select="h:LenLop"/></xsl:call-template></dd>
      <xsl:call-template name="item"><xsl:with-param name="label">Chứng chỉ</xsl:with-param><xsl:with-param name="value" select="h:ChungChi"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Kết quả tham gia các cuộc thi</xsl:with-param><xsl:with-param name="value" select="h:CuocThi"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Khen thưởng</xsl:with-param><xsl:with-param name="value" select="h:KhenThuong"/></xsl:call-template>
      <xsl:call-template name="item"><xsl:with-param name="label">Nhận xét của giáo viên chủ nhiệm</xsl:with-param><xsl:with-param name="value" select="h:NhanXetGiaoVienChuNhiem"/></xsl:call-template>
      <xsl:if test="h:HoanThanhChuongTrinhCapHoc">
        <dt>Hoàn thành chương trình cấp học</dt>
        <dd><xsl:call-template name="yes-no"><xsl:with-param name="value" select="h:HoanThanhChuongTrinhCapHoc"/></xsl:call-template></dd>
      </xsl:if>
      <dt>Sửa chữa trong bảng kết quả các môn học</dt>
      <xsl:choose>
        <xsl:when test="h:SuaChua">
          <dd><xsl:value-of select="h:SuaChua/h:SoDiem"/> điểm, <xsl:value-of select="h:SuaChua/h:SoMucDanhGia"/> mức đánh giá, thuộc các môn: <xsl:for-each select="h:SuaChua/h:MonHoc"><xsl:if test="position() &gt; 1">, </xsl:if><xsl:value-of select="."/></xsl:for-each></dd>
        </xsl:when>
        <xsl:otherwise><dd>Không</dd></xsl:otherwise>
      </xsl:choose>
    </dl>
  </xsl:template>

  <xsl:template match="h:NguoiKy">
    <xsl:variable name="signed"><xsl:call-template name="date"><xsl:with-param name="value" select="h:NgayKy"/></xsl:call-template></xsl:variable>
    <h2>Những người ký</h2>
    <dl>
      <xsl:for-each select="h:GiaoVienBoMon">
        <dt>Giáo viên bộ môn</dt>
        <dd><xsl:call-template name="person"/> (<xsl:for-each select="h:MonHoc"><xsl:if test="position() &gt; 1">, </xsl:if><xsl:value-of select="."/></xsl:for-each>)</dd>
      </xsl:for-each>
      <xsl:for-each select="h:GiaoVienChuNhiem"><dt>Giáo viên chủ nhiệm</dt><dd><xsl:call-template name="person"/></dd></xsl:for-each>
      <xsl:for-each select="h:LanhDao"><dt><xsl:value-of select="h:ChucVu"/></dt><dd><xsl:call-template name="person"/></dd></xsl:for-each>
      <xsl:call-template name="item"><xsl:with-param name="label">Nơi và ngày ghi trên học bạ</xsl:with-param><xsl:with-param name="value" select="concat(h:NoiKy, ', ', $signed)"/></xsl:call-template>
    </dl>
  </xsl:template>

  <xsl:template match="h:SoHoa">
    <h2>Số hóa từ học bạ giấy</h2>
    <dl>
      <xsl:call-template name="item"><xsl:with-param name="label">Trường ghi trên học bạ giấy</xsl:with-param><xsl:with-param name="value" select="h:TruongTrenHocBaGiay"/></xsl:call-template>
      <dt>Bản quét lưu tại trường</dt>
      <dd><xsl:value-of select="h:BanQuet/h:SoTrang"/> trang, <xsl:value-of select="h:BanQuet/h:KichThuoc"/> byte<br/>SHA-256: <xsl:value-of select="h:BanQuet/h:Bam"/></dd>
      <dt>Đối chiếu dữ liệu</dt>
      <xsl:choose>
        <xsl:when test="h:QuyDinhDoiChieu"><dd>Theo <xsl:value-of select="h:QuyDinhDoiChieu"/></dd></xsl:when>
        <xsl:otherwise><dd>Ghi như trên học bạ giấy, không đối chiếu theo quy định đánh giá</dd></xsl:otherwise>
      </xsl:choose>
    </dl>
    <table>
      <caption>Người rà soát và người ký chịu trách nhiệm</caption>
      <thead><tr><th scope="col">Nội dung</th><th scope="col">Người ghi trên học bạ giấy</th><th scope="col">Người rà soát</th><th scope="col">Rà soát lúc</th><th scope="col">Người ký, chịu trách nhiệm</th></tr></thead>
      <tbody>
        <xsl:for-each select="h:Phan">
          <tr>
            <th scope="row">
              <xsl:choose>
                <xsl:when test="h:LoaiPhan = 'HoSo'">Hồ sơ học sinh</xsl:when>
                <xsl:when test="h:LoaiPhan = 'ChuNhiem'">Phần của giáo viên chủ nhiệm</xsl:when>
                <xsl:otherwise><xsl:for-each select="h:MonHoc"><xsl:if test="position() &gt; 1">, </xsl:if><xsl:value-of select="."/></xsl:for-each></xsl:otherwise>
              </xsl:choose>
            </th>
            <td><xsl:for-each select="h:NguoiGhiHocBaGiay"><xsl:if test="position() &gt; 1">, </xsl:if><xsl:value-of select="."/></xsl:for-each></td>
            <td><xsl:value-of select="h:NguoiRaSoat/h:HoTen"/></td>
            <td><xsl:call-template name="moment"><xsl:with-param name="value" select="h:RaSoatLuc"/></xsl:call-template></td>
            <td><xsl:value-of select="h:NguoiKy/h:HoTen"/></td>
          </tr>
        </xsl:for-each>
      </tbody>
    </table>
  </xsl:template>

  <xsl:template match="h:ChuKy">
    <h2>Chữ ký số</h2>
    <p class="note">Trang này chỉ liệt kê chữ ký có trong tệp, với tên người ký theo nội dung học bạ; không kiểm tra chữ ký. Để kiểm tra, mở địa chỉ tra cứu ở trên.</p>
    <xsl:choose>
      <xsl:when test="ds:Signature">
        <table>
          <caption>Các chữ ký trong tệp, theo thứ tự ký</caption>
          <thead><tr><th scope="col">Số thứ tự</th><th scope="col">Chữ ký</th><th scope="col">Người ký</th><th scope="col">Thời gian ký</th></tr></thead>
          <tbody>
            <xsl:for-each select="ds:Signature">
              <tr>
                <td><xsl:value-of select="position()"/></td>
                <th scope="row"><xsl:value-of select="@Id"/></th>
                <td>
                  <xsl:variable name="signers" select="/h:HocBa/h:NoiDung/h:NguoiKy"/>
                  <xsl:choose>
                    <xsl:when test="ds:KeyInfo/ds:X509Data/ds:X509SubjectName"><xsl:value-of select="ds:KeyInfo/ds:X509Data/ds:X509SubjectName"/></xsl:when>
                    <xsl:when test="starts-with(@Id, 'GVBM-')"><xsl:value-of select="$signers/h:GiaoVienBoMon[h:MaCanBo = substring-after(current()/@Id, 'GVBM-')]/h:HoTen"/></xsl:when>
                    <xsl:when test="@Id = 'GVCN'"><xsl:value-of select="$signers/h:GiaoVienChuNhiem/h:HoTen"/></xsl:when>
                    <xsl:when test="@Id = 'CBQL'"><xsl:value-of select="$signers/h:LanhDao/h:HoTen"/></xsl:when>
                    <xsl:when test="@Id = 'KY_PHAT_HANH'"><xsl:value-of select="/h:HocBa/h:NoiDung/h:Truong/h:TenTruong"/></xsl:when>
                    <xsl:otherwise>Theo chứng thư số trong chữ ký</xsl:otherwise>
                  </xsl:choose>
                  <xsl:for-each select=".//xades:ClaimedRole"> (<xsl:value-of select="."/>)</xsl:for-each>
                </td>
                <td><xsl:value-of select=".//xades:SigningTime"/></td>
              </tr>
            </xsl:for-each>
          </tbody>
        </table>
      </xsl:when>
      <xsl:otherwise><p>Chưa có chữ ký.</p></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
